// Wakes those who wait for messages and changes: in this process by signal, in others by a file they watch.
import Glibc
import SluiceCore
import Synchronization

/// Nobody polls: who waits is woken by a ring after the commit that brought what they wait for.
///
/// Others' processes hear of it through a file that each of them watches (inotify). It is written to only while somebody
/// else waits, which a shared lock on the file tells for the price of one system call; the kernel drops the lock of a
/// process that ends.
final class Doorbell: Sendable {
    fileprivate struct State {
        /// How often each topic was rung; a waiter names the count it has seen, so that no ring falls between.
        var rings: [Topic: UInt64] = [:]
        /// Rings from other processes, which concern every topic.
        var foreignRings: UInt64 = 0
        var waiters: [UInt64: (topic: Topic, wake: CheckedContinuation<Void, Never>)] = [:]
        var nextWaiter: UInt64 = 0
        var guests = 0
    }

    /// How long at most a wait lasts if the system cannot tell of other processes' rings.
    private static let deafWait = Duration.seconds(1)

    private let file: CInt
    private let state = Mutex(State())
    private let ticket = Mutex<FileWatch.Ticket?>(nil)

    /// Makes the file if need be and begins to watch it.
    init(path: String) throws(PortError) {
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw PortError.systemCall("open", path: path, errno: errno) }
        let ticket = FileWatch.shared?.begin(path) { [weak self] in self?.ringAll() }
        self.ticket.withLock { $0 = ticket }
    }

    deinit {
        if let ticket = ticket.withLock({ $0 }) { FileWatch.shared?.end(ticket) }
        close(file)
    }

    /// Wakes those who wait for the topics, here and in other processes.
    func ring(_ topics: Set<Topic>) {
        let woken = state.withLock { state in
            for topic in topics { state.rings[topic, default: 0] += 1 }
            return state.take { topics.contains($0) }
        }
        for wake in woken { wake.resume() }
        if othersWait() { touch() }
    }

    /// Wakes everybody here: another process rang, or the backend closes.
    func ringAll() {
        let woken = state.withLock { state in
            state.foreignRings += 1
            return state.take { _ in true }
        }
        for wake in woken { wake.resume() }
    }

    /// Says that somebody here is about to look and then to wait; rings from other processes reach us until `leave`.
    func enter() {
        // The file's lock is set under ours, lest one who leaves takes it from one who enters.
        state.withLock { state in
            state.guests += 1
            if state.guests == 1 { setLock(F_RDLCK) }
        }
    }

    func leave() {
        state.withLock { state in
            state.guests -= 1
            if state.guests == 0 { setLock(F_UNLCK) }
        }
    }

    /// How often the topic was rung up to now; to be read before looking whether there is something.
    func rings(of topic: Topic) -> UInt64 {
        state.withLock { $0.count(of: topic) }
    }

    /// Waits until the topic has been rung more than `seen` times, the deadline passes, or the task is cancelled.
    func wait(for topic: Topic, after seen: UInt64, until deadline: Timestamp, clock: any Timekeeping) async {
        let isDeaf = ticket.withLock { $0 == nil }
        let deadline = isDeaf ? min(deadline, clock.now.advanced(by: Self.deafWait)) : deadline
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ring(of: topic, after: seen) }
            group.addTask {
                do {
                    try await clock.sleep(until: deadline, tolerance: nil)
                } catch {
                    // Cancelled: by a ring that came first, or with the whole task.
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func ring(of topic: Topic, after seen: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (wake: CheckedContinuation<Void, Never>) in
                let isDone = state.withLock { state in
                    // The cancellation handler may have run before this; nobody else would wake us then.
                    if Task.isCancelled || state.count(of: topic) != seen { return true }
                    state.waiters[id] = (topic, wake)
                    return false
                }
                if isDone { wake.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id)?.wake }?.resume()
        }
    }

    private func touch() {
        var byte: UInt8 = 1
        // A failure delays other processes until their next look, at most a second; nothing is lost.
        _ = pwrite(file, &byte, 1, 0)
    }

    /// Whether another opening of the file holds the lock that those who wait share.
    private func othersWait() -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_len = 1
        return fcntl(file, Self.getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    private func setLock(_ kind: some BinaryInteger) {
        var lock = flock()
        lock.l_type = Int16(kind)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_len = 1
        _ = fcntl(file, Self.placeLock, &lock)
    }

    // F_OFD_GETLK and F_OFD_SETLK, which Glibc's module hides behind _GNU_SOURCE: locks of an open file, not a process.
    private static let getLock: CInt = 36
    private static let placeLock: CInt = 37
}

extension Doorbell.State {
    fileprivate func count(of topic: Topic) -> UInt64 {
        rings[topic, default: 0] + foreignRings
    }

    fileprivate mutating func take(_ isMeant: (Topic) -> Bool) -> [CheckedContinuation<Void, Never>] {
        let ids = waiters.filter { isMeant($0.value.topic) }.map(\.key)
        return ids.compactMap { waiters.removeValue(forKey: $0)?.wake }
    }
}
