// One call of a service, before it has an address and a signature.
package import HTTPDriver

/// What is asked of a service.
package struct AWSCall: Sendable {
    package enum Payload: Sendable {
        /// Its digest is signed.
        case signed
        /// TLS alone guards it; over plain HTTP its digest is signed all the same.
        case unsigned
    }

    /// For errors, such as `UpdateItem`.
    package var operation: String
    package var method: HTTPCall.Method
    /// Absolute and escaped.
    package var path: String
    /// Not escaped.
    package var query: [(name: String, value: String)] = []
    package var headers: [(name: String, value: String)] = []
    package var body: HTTPBody?
    package var payload = Payload.signed
    /// False for the few calls that need no credentials.
    package var isSigned = true
    /// Whether an answer of status 200 may be an error all the same, as S3's is where it began to answer before it knew.
    var mayFailInside = false
    /// A secret in the body that the service's words must not show, if it repeats it.
    var secrets: [Secret] = []
    /// For one try, instead of the peer's.
    package var timeout: Duration?
    /// How often it is tried at most, instead of the policy's; 1 for what must not be repeated blindly.
    package var tries: Int?
    /// False for what must not happen twice: it is then tried again only if the tries before certainly did nothing.
    package var isRepeatable = true
    /// Errors are short; what is behind this much of one is not read.
    package var errorBodyMax = 256 << 10
    /// Of S3, for the error that it is not there.
    var bucket: String?
    /// Before the endpoint's host, such as `bucket.`.
    package var hostPrefix = ""

    package init(_ operation: String, _ method: HTTPCall.Method = .post, path: String = "/", body: HTTPBody? = nil) {
        self.operation = operation
        self.method = method
        self.path = path
        self.body = body
    }
}
