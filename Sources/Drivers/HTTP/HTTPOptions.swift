// How a peer is spoken to: time-outs, connections, headers and TLS.

/// What holds for every exchange with a peer.
package struct HTTPOptions: Sendable {
    /// Until a connection stands, TLS included.
    package var connectTimeout: Duration = .seconds(10)
    /// From the call to the last byte of the answer; a call may bring its own.
    package var requestTimeout: Duration = .seconds(60)
    /// How long the peer may be silent within an exchange, from the request's last byte on.
    ///
    /// It also bounds how late a body that trickles past `requestTimeout` is found out.
    package var stallTimeout: Duration = .seconds(60)
    /// Connections kept open at most; further calls wait for one, within their time-out.
    package var connectionsPerHost = 8
    /// Bytes taken from a connection at once; every open connection keeps room for them.
    package var readBytes = 32 << 10
    /// Whether taking an answer is the work of a moment, so that it is done where the answer arrives; it holds up the others
    /// there.
    package var answersAreSmall = true
    /// Sent with every request.
    package var headers: [(name: String, value: String)] = []
    /// Sent with every request, and never shown.
    package var secretHeader: HTTPSecretHeader?
    package var tls = TLS()

    /// Whom to trust and as whom to come; certificates are always verified.
    package struct TLS: Sendable, Equatable {
        /// A PEM file of the authorities to trust instead of the system's.
        package var trustRootsFile: String?
        /// The same as PEM text; if there is a file too, both are trusted.
        package var trustRootsText: String?
        /// A PEM file of our certificate and those between it and the authority.
        package var certificateFile: String?
        /// A PEM file of our certificate's key, without a passphrase.
        package var keyFile: String?

        package init(
            trustRootsFile: String? = nil,
            trustRootsText: String? = nil,
            certificateFile: String? = nil,
            keyFile: String? = nil
        ) {
            self.trustRootsFile = trustRootsFile
            self.trustRootsText = trustRootsText
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    package init() {}
}

/// A header whose value says who we are, such as `Authorization`.
///
/// However it is printed, its value is not.
package struct HTTPSecretHeader: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let name: String
    let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// A text without the value, should a peer have repeated it.
    package func removed(from text: String) -> String {
        let word = value.split(separator: " ").last.map { String($0) } ?? value
        return word.isEmpty ? text : text.replacing(word, with: "(secret)")
    }

    package var description: String { "\(name): (secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
