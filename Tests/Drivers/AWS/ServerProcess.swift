// A server that a script of ours runs for as long as this process lives.
import Foundation
import Glibc
import HTTPDriver
import SluiceTestKit

/// What the script prints in its first line: the server's URL, and keys for it if it has any.
///
/// Its standard input comes from here: it ends when that breaks, even if this process was killed.
final class ServerProcess: Sendable {
    let url: String
    /// What stands behind the URL.
    let words: [String]
    /// Nobody writes into it; the server reads its end when this process has gone, however that was.
    private let lifeline: Int32

    /// Starts or finds a server on a thread of its own: waiting for it would hold up the tests that share a pool of threads.
    static func started<Value: Sendable>(_ start: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try start() }) }
        }
    }

    init(_ script: String, _ arguments: String...) throws {
        let root = (1...4).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }
        let input = try Self.makePair()
        let output = try Self.makePair()
        defer { close(output.own) }
        do {
            defer {
                close(input.other)
                close(output.other)
            }
            _ = try spawn(
                [root.appending(path: script).path] + arguments,
                environment: ProcessInfo.processInfo.environment,
                streams: (.descriptor(input.other), .descriptor(output.other), .inherited)
            )
        } catch {
            close(input.own)
            throw error
        }
        lifeline = input.own
        // It prints one line; what it would print later is nothing.
        var words = Self.line(from: output.own).split(whereSeparator: \.isWhitespace).map { String($0) }
        guard let url = words.first, url.contains("://127.0.0.1:") else {
            close(lifeline)
            throw EmulatorFailure(
                description: "no server started; try \(([script] + arguments).joined(separator: " "))"
            )
        }
        words.removeFirst()
        self.url = url
        self.words = words
    }

    deinit { close(lifeline) }

    /// Sockets instead of a pipe: no other child of ours can inherit an end, whenever it is started.
    private static func makePair() throws -> (own: Int32, other: Int32) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw EmulatorFailure(description: "no sockets: errno \(errno)")
        }
        return (ends[0], ends[1])
    }

    /// A line, which may come in pieces.
    ///
    /// `FileHandle` ends the process when a signal comes in between, as it does when another child of ours ends.
    private static func line(from descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !bytes.contains(UInt8(ascii: "\n")) {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension HTTPPeer {
    /// Its connections are closed afterwards.
    func used<Value>(_ body: () async throws -> Value) async throws -> Value {
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        await shutdown()
        return try outcome.get()
    }
}
