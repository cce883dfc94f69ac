// Tells this process when a file is written to, by one inotify instance for all files.
import Dispatch
import Glibc
import Synchronization

/// The process's one inotify instance; a user may have but 128 of them, so not every doorbell gets its own.
final class FileWatch: Sendable {
    /// Nil if the system gives no instance; then nobody is told, and who waits has to look now and then.
    static let shared = FileWatch()

    /// Stands for one listener until it is ended.
    struct Ticket: Sendable {
        fileprivate let watch: CInt
        fileprivate let number: UInt64
    }

    private struct State {
        /// Listeners by watch: one file has one watch, however often it is opened.
        var listeners: [CInt: [UInt64: @Sendable () -> Void]] = [:]
        var nextNumber: UInt64 = 0
    }

    private let instance: CInt
    // `nonisolated(unsafe)`: written in `init` only; kept so that it goes on telling.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let state = Mutex(State())

    private init?() {
        instance = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        guard instance >= 0 else { return nil }
        source = DispatchSource.makeReadSource(fileDescriptor: instance, queue: .global())
        source.setEventHandler { [weak self] in self?.read() }
        source.activate()
    }

    /// Calls the listener after each write to the file; nil if the file cannot be watched.
    func begin(_ path: String, _ listener: @escaping @Sendable () -> Void) -> Ticket? {
        state.withLock { state in
            let watch = inotify_add_watch(instance, path, UInt32(IN_MODIFY))
            guard watch >= 0 else { return nil }
            state.nextNumber += 1
            state.listeners[watch, default: [:]][state.nextNumber] = listener
            return Ticket(watch: watch, number: state.nextNumber)
        }
    }

    func end(_ ticket: Ticket) {
        state.withLock { state in
            state.listeners[ticket.watch]?[ticket.number] = nil
            guard state.listeners[ticket.watch]?.isEmpty ?? false else { return }
            state.listeners[ticket.watch] = nil
            // Fails if the file is gone, and the watch with it.
            _ = inotify_rm_watch(instance, ticket.watch)
        }
    }

    private func read() {
        var watches: Set<CInt> = []
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            while true {
                let count = Glibc.read(instance, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                var position = 0
                while position + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.loadUnaligned(fromByteOffset: position, as: inotify_event.self)
                    watches.insert(event.wd)
                    position += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        let listeners = state.withLock { state in
            // An overflow of the system's queue tells no file (-1): any may have been written to.
            watches.contains(-1)
                ? state.listeners.values.flatMap(\.values)
                : watches.flatMap { state.listeners[$0]?.values.map { $0 } ?? [] }
        }
        for listener in listeners { listener() }
    }
}
