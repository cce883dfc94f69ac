// The wish to stop at the next checkpoint, heard by everything that runs.
import SluiceCore
import Synchronization

/// Set once; what is under way ends at its next checkpoint, and what waits is woken.
public final class StopSignal: Sendable {
    private let hasStopped = Atomic(false)
    private let waiters = Waiters()

    public init() {}

    public var isStopping: Bool { hasStopped.load(ordering: .acquiring) }

    public func stop() {
        hasStopped.store(true, ordering: .releasing)
        waiters.wakeAll()
    }

    /// Returns when a stop is asked for, or the task is cancelled.
    public func wait() async {
        await waiters.wait { self.isStopping }
    }

    /// Runs something that is cancelled as soon as a stop is asked for; nil if it brought nothing then.
    ///
    /// What it brings although it was cancelled is not lost: messages that were received stay hidden from everybody else.
    func race<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            do {
                if let value = try await group.next() ?? nil { return value }
                group.cancelAll()
                return try await group.next() ?? nil
            } catch {
                if isStopping || Task.isCancelled { return nil }
                throw error
            }
        }
    }
}
