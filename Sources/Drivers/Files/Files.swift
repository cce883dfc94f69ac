// Local files as source, sink and object store, with gzip through zlib.

#if !hasFeature(InternalImportsByDefault)
    #error("build with the settings of Package.swift: InternalImportsByDefault is off")
#endif
