// The documents of a write, split without being built.
import NIOCore
import SluiceCore

/// One document as it was sent; ids are compared by their bytes.
struct EcommerceChange {
    /// Nil if it has no non-empty string `_id`.
    var id: [UInt8]?
    var document: [UInt8]

    /// Splits `{"documents":[…]}`.
    ///
    /// - Throws: a sentence for the sender.
    static func split(_ body: ByteBuffer) throws(EcommerceRefusal) -> [EcommerceChange] {
        let found = body.withUnsafeReadableBytes { bytes in
            Result { () throws(RecordError) in try split(bytes) }
        }
        switch found {
        case .success(let changes) where !changes.isEmpty: return changes
        case .success: throw EcommerceRefusal(400, "documents must be a list that is not empty")
        case .failure(let error): throw EcommerceRefusal(400, "the body is no JSON object: \(error)")
        }
    }

    /// The documents; none if there is no list of them.
    private static func split(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> [EcommerceChange] {
        var changes: [EcommerceChange] = []
        _ = try JSONRecordWalk.walk(bytes, 0..<bytes.count, array: "documents", key: "_id") { element in
            let id = element.key.flatMap { readID(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
            changes.append(EcommerceChange(id: id, document: Array(bytes[element.range])))
        }
        return changes
    }

    private static func readID(_ token: UnsafeRawBufferPointer) -> [UInt8]? {
        guard token.first == UInt8(ascii: "\""), token.count > 2 else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: token[1..<token.count - 1])
        if !text.contains(UInt8(ascii: "\\")) { return Array(text) }
        return (try? JSONValue.parse(Array(token)))?.stringValue.map { Array($0.utf8) }
    }
}

/// An answer other than the one that was hoped for.
struct EcommerceRefusal: Error {
    var status: Int
    var message: String
    var retryAfter = EcommerceOptions.RetryAfter.none

    init(_ status: Int, _ message: String, retryAfter: EcommerceOptions.RetryAfter = .none) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
    }
}
