// The embedded default: tables, queues, change feed and owners in one SQLite file that several processes may share.

/// What is fixed about the file.
enum SQLiteFile {
    /// `Sluc` in ASCII; tells our file from other programs' databases.
    static let applicationID = 0x536C_7563
    /// The version of the schema that this build writes and reads.
    static let version = 1
    /// Twice SQLite's default: a page holds a few dozen small messages and a quarter less is written for large ones.
    static let pageBytes = 8192
    /// Pages in the write-ahead log before they are moved into the database: 32 MiB, so that queues, whose pages are
    /// written again and again, cost one move for many commits.
    static let checkpointPages = 4096
    /// The write-ahead log is cut back to this when a checkpoint empties it.
    static let walBytesKept = 64 * 1024 * 1024
    /// Memory for pages; what is not in it is mostly still in the system's.
    static let writerCacheKiB = 8 * 1024
    /// The same for each of the connections that read.
    static let readerCacheKiB = 2 * 1024
    /// Writes that share one commit, at most; bounds how long the first of them waits for the last.
    static let writesPerCommitMax = 256
}
