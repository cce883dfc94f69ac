// One request and the head of its answer.
internal import NIOCore
internal import NIOHTTP1

/// A request.
package struct HTTPCall: Sendable {
    package enum Method: String, Sendable {
        case delete = "DELETE"
        case get = "GET"
        case head = "HEAD"
        case patch = "PATCH"
        case post = "POST"
        case put = "PUT"
    }

    package var method: Method
    /// Absolute, escaped, without user-info.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: HTTPBody?
    /// Sent instead of the peer's own, for what is renewed from time to time; never shown.
    package var secretHeader: HTTPSecretHeader?
    /// For the whole exchange, instead of the peer's `requestTimeout`.
    package var timeout: Duration?

    package init(
        _ method: Method = .get,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        body: HTTPBody? = nil,
        secretHeader: HTTPSecretHeader? = nil,
        timeout: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.secretHeader = secretHeader
        self.timeout = timeout
    }
}

/// A request's body, built where it is sent from, and sent again without a copy.
package struct HTTPBody: Sendable {
    var buffer: ByteBuffer

    /// An empty body with room for `capacity` bytes.
    package init(capacity: Int = 0) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(capacity)
    }

    package init(_ bytes: [UInt8]) {
        buffer = ByteBuffer(bytes: bytes)
    }

    package var count: Int { buffer.readableBytes }

    /// The bytes as they will be sent, which are only good during the call.
    package func withBytes<Value>(_ read: (UnsafeRawBufferPointer) -> Value) -> Value {
        buffer.withUnsafeReadableBytes(read)
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        buffer.writeBytes(bytes)
    }

    package mutating func append(_ bytes: [UInt8]) {
        buffer.writeBytes(bytes)
    }

    package mutating func append(_ text: String) {
        buffer.writeString(text)
    }

    /// Replaces a byte that has been appended.
    package mutating func replace(at place: Int, with byte: UInt8) {
        precondition((0..<count).contains(place), "only what was appended can be replaced")
        buffer.setInteger(byte, at: buffer.readerIndex + place)
    }

    package mutating func removeAll() {
        buffer.clear()
    }
}

/// The head of an answer.
package struct HTTPReply: Sendable {
    package let status: Int
    let fields: HTTPHeaders

    /// The first header of that name, whatever its case.
    package func header(_ name: String) -> String? {
        fields.first(name: name)
    }

    /// The body's length, if the head says it.
    var announcedLength: Int? {
        header("Content-Length").flatMap { Int($0) }
    }
}

/// Whether the rest of an answer is wanted.
package enum HTTPFlow: Sendable {
    case more
    /// The exchange ends here, and so does its connection.
    case enough
}
