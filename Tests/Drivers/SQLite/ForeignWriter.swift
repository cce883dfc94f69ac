// A process of another kind that holds the database's write lock.
import Glibc
import SluiceCore

/// Python's own SQLite in a process of its own, in the middle of a write until it is told to commit.
///
/// Started by hand: Foundation's `Process` crashed now and then while other tests opened files.
final class ForeignWriter {
    private let process: pid_t
    private let orders: CInt

    /// Returns once the lock is had.
    init(path: String) throws {
        let program = """
            import os, sqlite3, sys
            c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
            c.execute("begin immediate")
            os.write(1, b"locked")
            sys.stdin.readline()
            c.execute("commit")
            """
        let (input, output) = (try Self.pipe(), try Self.pipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.read, 0)
        posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        let words = ["python3", "-c", program, path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { word in strdup(word) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawnp(&process, "python3", &actions, nil, &arguments, environ)
        close(input.read)
        close(output.write)
        defer { close(output.read) }
        self.process = process
        orders = input.write
        guard code == 0 else { throw PortError(.unavailable, "python3: \(String(cString: strerror(code)))") }
        var word = [UInt8](repeating: 0, count: 16)
        guard read(output.read, &word, word.count) > 0 else {
            throw PortError(.unavailable, "python3 ended without having the lock")
        }
    }

    /// Lets it commit and waits for its end.
    func commit() throws {
        var line = UInt8(ascii: "\n")
        guard write(orders, &line, 1) == 1 else { throw PortError(.unavailable, "python3 takes no orders") }
        close(orders)
        var status: CInt = 0
        guard waitpid(process, &status, 0) == process, status == 0 else {
            throw PortError(.unavailable, "python3 could not commit")
        }
    }

    private static func pipe() throws -> (read: CInt, write: CInt) {
        var ends: [CInt] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw PortError(.unavailable, "no pipe") }
        // What the child is to have is given to it under another number.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
