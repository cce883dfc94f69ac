// The port to objects: bytes under keys, whole or not at all.

/// Bytes under keys.
///
/// A key is `/`-separated, 1 to 1024 bytes, without empty, `.` or `..` parts.
public protocol ObjectStore: Sendable {
    /// Stores an object; durable, and visible as a whole, on return. A crash leaves the old one or the new one.
    ///
    /// - Throws: `PortError`: `conditionFailed` if `onlyIfAbsent` and the key is taken; `outOfSpace`;
    ///   `invalidRequest` if the key is not one.
    func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError)

    /// A part of an object, or all of it; a range is cut at the object's end.
    ///
    /// - Throws: `PortError`: `notFound`.
    func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8]

    /// The object's size in bytes, or nil if there is none.
    func size(of key: String) async throws(PortError) -> Int?

    /// Begins an object that is written in parts; nothing is visible until it is finished.
    func write(_ key: String) async throws(PortError) -> any ObjectWriter

    /// Removes objects; an absent key is no error.
    func delete(_ keys: [String]) async throws(PortError)

    /// One page of the keys that begin with `prefix`, in the order of their bytes.
    func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary]
}

/// An object that is being written; used by one task at a time.
///
/// Dropping it without `finish` leaves no object behind. What was written so far may take room for a while, unless it is
/// abandoned.
public protocol ObjectWriter: Sendable {
    func append(_ bytes: [UInt8]) async throws(PortError)
    /// Makes the object visible and durable.
    func finish() async throws(PortError)
    /// Gives up; what was written is removed.
    func abandon() async
}

/// A key and the size of what is under it.
public struct ObjectSummary: Sendable, Hashable {
    public let key: String
    public let bytes: Int

    public init(key: String, bytes: Int) {
        self.key = key
        self.bytes = bytes
    }
}

/// What a key of an object may be.
public enum ObjectKey {
    /// From S3.
    public static let bytesMax = 1024

    /// Refuses a key that no store would take; for drivers.
    public static func check(_ key: String) throws(PortError) {
        guard (1...bytesMax).contains(key.utf8.count) else {
            throw PortError(.invalidRequest, "an object's key has 1 to \(bytesMax) bytes, this one \(key.utf8.count)")
        }
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts where part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
            throw PortError(.invalidRequest, "\"\(key)\" has an empty, \".\" or \"..\" part")
        }
    }
}
