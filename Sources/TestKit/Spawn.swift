// Starts programs as a test wants them: with streams of its choice, no signal blocked and nothing else inherited.
package import Glibc

/// Where a stream of a program comes from or goes to.
package enum SpawnStream: Sendable {
    /// A file that is there, to be read.
    case reading(String)
    /// A file to be made, or emptied.
    case writing(String)
    /// A descriptor of ours.
    case descriptor(Int32)
    /// The one of the tests' own process.
    case inherited
}

/// A program that could not be started.
package struct SpawnFailure: Error, CustomStringConvertible {
    package let description: String
}

/// Starts a program by `posix_spawn`, for Foundation's `Process` crashes now and then while other tests open files.
///
/// - Parameters:
///   - words: the program, looked for along `PATH` unless it is a path, and its arguments.
///   - environment: all of its variables.
///   - streams: standard input, output and error.
/// - Returns: its id, for the caller to wait for.
/// - Throws: why it can't be started.
package func spawn(
    _ words: [String],
    environment: [String: String],
    streams: (SpawnStream, SpawnStream, SpawnStream)
) throws(SpawnFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, stream) in [streams.0, streams.1, streams.2].enumerated() {
        let number = Int32(number)
        switch stream {
        case .reading(let path): posix_spawn_file_actions_addopen(&actions, number, path, O_RDONLY, 0)
        case .writing(let path):
            posix_spawn_file_actions_addopen(&actions, number, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        case .descriptor(let own): posix_spawn_file_actions_adddup2(&actions, own, number)
        case .inherited: break
        }
    }

    // Threads of the test runner block signals, and a child would begin with what they block.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var reset = sigset_t()
    sigemptyset(&reset)
    for signal in [SIGTERM, SIGINT, SIGPIPE, SIGHUP] { sigaddset(&reset, signal) }
    posix_spawnattr_setsigdefault(&attributes, &reset)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for variable in variables { free(variable) } }
    var id = pid_t()
    let code = posix_spawnp(&id, words[0], &actions, &attributes, &arguments, &variables)
    guard code == 0 else {
        throw SpawnFailure(description: "\(words[0]) can't be started: \(String(cString: strerror(code)))")
    }
    return id
}
