// What Kubernetes on EKS takes for a token: permission to ask STS who we are.
package import HTTPDriver
package import SluiceCore

/// A bearer token for the Kubernetes API of an EKS cluster; however it is printed, it is not shown.
package struct EKSToken: Sendable {
    private let secret: String
    /// EKS takes tokens for 15 minutes; this is a minute before.
    package let expires: Timestamp

    /// How long EKS takes a token after it was made, less a minute for clocks and the way.
    private static let life: Duration = .seconds(14 * 60)
    /// How long STS takes the URL in it; EKS asks at once.
    private static let expiry: Duration = .seconds(60)

    /// - Parameters:
    ///   - sts: the client of STS in the cluster's region.
    ///   - cluster: the cluster's name.
    /// - Throws: why there are no credentials.
    package init(_ sts: AWSClient, cluster: String) async throws(AWSError) {
        var call = AWSCall("GetCallerIdentity", .get)
        call.query = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]
        call.headers = [("x-k8s-aws-id", cluster)]
        expires = sts.clock.now.advanced(by: Self.life)
        let url = try await sts.presign(call, expiry: Self.expiry)
        let letters = Base64.encode(Array(url.utf8)).compactMap { letter -> UInt8? in
            switch letter {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: letter
            }
        }
        secret = "k8s-aws-v1." + String(decoding: letters, as: UTF8.self)
    }

    /// The header that shows it.
    package var header: HTTPSecretHeader { HTTPSecretHeader(name: "Authorization", value: "Bearer \(secret)") }

    /// For a program that wants it as text, such as an `exec` plugin of kubectl.
    package var text: String { secret }
}

extension EKSToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "a token, until \(expires)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["expires": expires]) }
}
