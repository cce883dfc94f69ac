// A program of this machine, started, waited for and ended.
import Foundation
import Glibc
import Synchronization

/// One process in a group of its own, so that what it starts ends with it.
final class LocalProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var status: Int32?
        var waiting: CheckedContinuation<Int32, Never>?
    }

    let id: pid_t
    private let state = Mutex(State())

    /// - Parameters:
    ///   - words: the program, looked for along `PATH` unless it is a path, and its arguments.
    ///   - environment: all of its variables.
    ///   - output: where both of its streams go.
    /// - Throws: why it can't be started.
    init(_ words: [String], environment: [String: String], output: Int32) throws(Failure) {
        id = try Self.spawn(words, environment, output)
        // A thread of its own: one of the pool that waits for a process may be the one that the process waits for.
        Thread.detachNewThread { [self] in watch() }
    }

    /// Its exit status, or 128 and the signal that ended it, as a shell counts; asked for by one task.
    func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiting = continuation }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Sends a signal to it and to all that it started, unless it has ended.
    func signal(_ signal: Int32) {
        state.withLock { state in
            // As long as it is not reaped, which happens under this lock too, its id is nobody else's.
            if state.status == nil { kill(-id, signal) }
        }
    }

    private func watch() {
        var info = siginfo_t()
        while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        let (status, waiting) = state.withLock { state in
            var raw: Int32 = 0
            while waitpid(id, &raw, 0) < 0, errno == EINTR {}
            let signal = raw & 0x7F
            let status = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
            state.status = status
            defer { state.waiting = nil }
            return (status, state.waiting)
        }
        waiting?.resume(returning: status)
    }

    private static func spawn(_ words: [String], _ environment: [String: String], _ output: Int32) throws(Failure)
        -> pid_t
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)

        // A child begins with what this thread blocks, and ignores what this process ignores.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var usual = sigset_t()
        sigemptyset(&usual)
        for signal in [SIGTERM, SIGINT, SIGPIPE, SIGHUP] { sigaddset(&usual, signal) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var id = pid_t()
        let code = posix_spawnp(&id, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            throw Failure(description: "\(words[0]) can't be started: \(String(cString: strerror(code)))")
        }
        return id
    }
}
