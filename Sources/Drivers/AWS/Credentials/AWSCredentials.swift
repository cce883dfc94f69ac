// Keys that requests are signed with, which nobody gets to see.
package import SluiceCore

/// An access key, perhaps of a session that ends; however it is printed, its secrets are not.
package struct AWSCredentials: Sendable, Equatable {
    /// Says who signed; it is no secret, and stands in every signature.
    package let accessKeyID: String
    let secret: String
    let token: String?
    /// When the session ends; nil for keys that stay.
    package let expires: Timestamp?

    /// - Throws: which part is missing, or holds what no header can; never the part itself.
    package init(
        accessKeyID: String,
        secretAccessKey: String,
        sessionToken: String? = nil,
        expires: Timestamp? = nil
    ) throws(AWSProblem) {
        try Self.check(accessKeyID, "access key id")
        try Self.check(secretAccessKey, "secret access key")
        let token = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
        if let token { try Self.check(token, "session token") }
        self.accessKeyID = accessKeyID
        secret = secretAccessKey
        self.token = token
        self.expires = expires
    }

    var secrets: [Secret] { [Secret(secret)] + (token.map { [Secret($0)] } ?? []) }

    private static func check(_ text: String, _ name: String) throws(AWSProblem) {
        guard !text.isEmpty else { throw AWSProblem("the \(name) is empty") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            let problem = "the \(name) holds a space, a line end or another byte that none has; look for one at its end"
            throw AWSProblem(problem)
        }
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        let session = token == nil ? "" : ", a session's"
        return "access key \(accessKeyID)\(session)" + (expires.map { ", until \($0)" } ?? "")
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
