// Working processes, as many as a test says there are.
public import SluiceCore
import Synchronization

/// The owners of one memory backend.
///
/// A process here is a name; it is gone when a test says so.
public final class MemoryOwners: OwnerRegistry {
    /// Who is alive and who is gone; the same for all owners of a backend.
    final class Register: Sendable {
        private let state = Mutex((live: Set<OwnerID>(), gone: Set<OwnerID>()))

        func enter(_ owner: OwnerID) {
            state.withLock { _ = $0.live.insert(owner) }
        }

        func leave(_ owner: OwnerID) {
            state.withLock { state in
                state.live.remove(owner)
                state.gone.insert(owner)
            }
        }

        func isGone(_ owner: OwnerID) -> Bool { state.withLock { $0.gone.contains(owner) } }

        var liveCount: Int { state.withLock { $0.live.count } }
    }

    public let own: OwnerID
    private let register: Register

    init(own: OwnerID, register: Register) {
        self.own = own
        self.register = register
        register.enter(own)
    }

    public func isGone(_ owner: OwnerID) async -> Bool { register.isGone(owner) }

    public func liveCount() async -> Int { max(1, register.liveCount) }
}
