// The clock of one account of the emulator, which a test moves.
import HTTPDriver
import SluiceCore
import SluiceTestKit

@testable import AWSDriver

/// A clock that stands still until it is moved, and the emulator's with it.
struct EmulatorClock {
    let manual: ManualClock
    private let account: Emulator.Account

    init(_ account: Emulator.Account) async throws {
        self.account = account
        // Signatures want the present; of whole seconds the emulator's arithmetic is exact.
        manual = ManualClock(now: Timestamp(milliseconds: WallClock().now.seconds * 1000))
        try await advance(by: .zero)
    }

    func advance(by duration: Duration) async throws {
        let then = manual.now.advanced(by: duration)
        let call = HTTPCall(.post, "\(account.url)/_clock/\(account.key)/\(then.milliseconds)")
        let (reply, _) = try await account.peer.exchange(call, limit: 1024)
        guard reply.status == 204 else { throw EmulatorFailure(description: "the emulator's clock can't be set") }
        manual.advance(by: duration)
    }

    /// For contracts; nobody here can see whether a call has come to wait at the emulator, so this gives it some time.
    var contractTime: ContractTime {
        ContractTime(
            now: { manual.now },
            advance: { try await advance(by: $0) },
            someoneWaits: { try await WallClock().sleep(for: .milliseconds(50)) }
        )
    }
}
