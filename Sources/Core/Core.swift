// The words of the house: jobs, slices, books, records, and the ports through which the core asks for the rest.

// A misspelt upcoming feature is silently ignored by the compiler, so its absence is made an error here.
#if !hasFeature(NonisolatedNonsendingByDefault)
    #error("build with the settings of Package.swift: NonisolatedNonsendingByDefault is off")
#endif
#if !hasFeature(InternalImportsByDefault)
    #error("build with the settings of Package.swift: InternalImportsByDefault is off")
#endif
