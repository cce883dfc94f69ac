// The body of a request as one piece, up to a limit.
package import Hummingbird
package import NIOCore

extension Request {
    /// The whole body, or nil if it is larger than the limit.
    ///
    /// - Throws: if the connection breaks first.
    package func bytes(upTo limit: Int) async throws -> ByteBuffer? {
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            return nil
        }
    }
}
