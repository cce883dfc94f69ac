// One prepared statement: bind, step, read columns, reset.
import GRDB
import GRDBSQLite

/// A prepared statement, used on its connection's queue only.
///
/// Positions of parameters begin at 1, of columns at 0.
final class Statement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    init(_ sql: String, on connection: OpaquePointer) throws {
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        guard sqlite3_prepare_v3(connection, sql, -1, flags, &statement, nil) == SQLITE_OK, let statement else {
            throw failure(on: connection)
        }
        handle = statement
        self.connection = connection
    }

    func bind(_ position: Int32, _ value: Int64) {
        sqlite3_bind_int64(handle, position, value)
    }

    func bind(_ position: Int32, _ value: Int64?) {
        if let value { bind(position, value) } else { sqlite3_bind_null(handle, position) }
    }

    func bind(_ position: Int32, _ value: Double) {
        sqlite3_bind_double(handle, position, value)
    }

    func bind(_ position: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bindText(position, UnsafeRawBufferPointer($0)) }
    }

    /// Binds UTF-8 bytes as text.
    func bind(_ position: Int32, text: [UInt8]) {
        text.withUnsafeBytes { bindText(position, $0) }
    }

    /// Binds bytes as a blob.
    func bind(_ position: Int32, blob: [UInt8]) {
        if blob.isEmpty {
            sqlite3_bind_zeroblob(handle, position, 0)
        } else {
            blob.withUnsafeBytes { bytes in
                _ = sqlite3_bind_blob64(handle, position, bytes.baseAddress, UInt64(bytes.count), Self.copied)
            }
        }
    }

    func bindNull(_ position: Int32) {
        sqlite3_bind_null(handle, position)
    }

    /// Advances to the next row; false at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = failure(on: connection)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Runs the statement to its end and resets it.
    func run() throws {
        while try step() {}
        reset()
    }

    /// Makes the statement ready for its next use; bound values stay.
    func reset() {
        sqlite3_reset(handle)
    }

    func finalize() {
        sqlite3_finalize(handle)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func kind(_ column: Int32) -> Int32 {
        sqlite3_column_type(handle, column)
    }

    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func double(_ column: Int32) -> Double {
        sqlite3_column_double(handle, column)
    }

    func text(_ column: Int32) -> String {
        withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }

    func blob(_ column: Int32) -> [UInt8] {
        withBytes(column) { [UInt8]($0) }
    }

    /// The bytes of a text or blob, valid only inside the block.
    func withBytes<Value>(_ column: Int32, _ read: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        let start = sqlite3_column_blob(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return try read(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    private func bindText(_ position: Int32, _ bytes: UnsafeRawBufferPointer) {
        if let start = bytes.baseAddress {
            let text = start.assumingMemoryBound(to: CChar.self)
            sqlite3_bind_text64(handle, position, text, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
        } else {
            sqlite3_bind_text(handle, position, "", 0, Self.copied)
        }
    }

    /// SQLITE_TRANSIENT: SQLite copies what is bound, so that no pointer outlives its block.
    private static let copied = unsafeBitCast(OpaquePointer(bitPattern: -1), to: sqlite3_destructor_type.self)
}
