// The AWS emulator that tests share: started when the first asks for it, gone with the process.
import HTTPDriver
import SluiceCore

@testable import AWSDriver

/// One emulator for all tests of this process; see `Scripts/emulator.py`.
enum Emulator {
    private static let shared = Result { try ServerProcess("Scripts/emulator.py") }

    static var url: String { get throws { try shared.get().url } }

    /// An account that nobody else uses, for one test; its connections are closed afterwards.
    static func withAccount<Value>(_ body: (Account) async throws -> Value) async throws -> Value {
        let account = Account(url: try await ServerProcess.started { try url }, peer: try HTTPPeer())
        return try await account.peer.used { try await body(account) }
    }

    /// Faults of `Scripts/emulator.py --faults`, as the proxy's own rules say, between a test and the emulator.
    ///
    /// For one test alone, which gets an emulator's account behind the proxy.
    static func withFaults(_ body: (Account, _ rules: (String) async throws -> Void) async throws -> Void) async throws
    {
        let proxy = try await ServerProcess.started { try ServerProcess("Scripts/emulator.py", "--faults", url) }
        let account = Account(url: proxy.url, peer: try HTTPPeer())
        try await account.peer.used {
            try await body(account) { rules in
                let type = [(name: "Content-Type", value: "application/json")]
                let url = "\(proxy.url)/_microburst/rules"
                let call = HTTPCall(.post, url, headers: type, body: HTTPBody(Array(rules.utf8)))
                let (reply, _) = try await account.peer.exchange(call, limit: 1 << 16)
                guard reply.status == 200 else { throw EmulatorFailure(description: "the proxy refuses these rules") }
            }
        }
    }

    /// What is in one account is not seen from another.
    struct Account: Sendable {
        let url: String
        let peer: HTTPPeer
        /// The emulator takes an access key of twelve digits for an account.
        let key = String(SystemRandomSource().next() % 900_000_000_000 + 100_000_000_000)

        func client(
            _ service: AWSService,
            policy: RetryPolicy = RetryPolicy(),
            clock: any Timekeeping = WallClock()
        ) throws -> AWSClient {
            let keys = try AWSCredentials(
                accessKeyID: key,
                secretAccessKey: "emulated",
                sessionToken: nil,
                expires: nil
            )
            return AWSClient(
                service,
                region: "us-east-1",
                endpoint: try AWSEndpoint(url, setting: "the emulator"),
                credentials: RenewingCredentials(FixedCredentials(keys), clock: clock),
                peer: peer,
                policy: policy,
                clock: clock
            )
        }
    }
}

struct EmulatorFailure: Error, CustomStringConvertible {
    let description: String
}
