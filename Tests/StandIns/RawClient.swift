// A client of one request that sees how a connection really ends.
import Foundation
import Glibc

/// One exchange over a plain socket.
struct RawClient {
    enum End: Sendable {
        case closed, reset
    }

    struct Problem: Error {
        var text: String
    }

    let port: UInt16

    /// - Throws: if the URL names no port.
    init(_ url: String) throws {
        guard let port = url.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw Problem(text: "no port in \(url)")
        }
        self.port = port
    }

    /// Sends the text, and reads until the connection ends; gives up after `patience` seconds without a byte.
    func exchange(_ text: String, patience: Int = 60) async throws -> (answer: String, end: End) {
        // On a thread of its own: a blocked one of the pool may be the one that the server needs.
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread {
                done.resume(with: Result { try talk(text, patience: patience) })
            }
        }
    }

    /// So many connections on which nothing was said; to be closed by the caller.
    func connections(_ count: Int) throws -> [Int32] {
        try (0..<count).map { _ in try connected() }
    }

    private func connected() throws -> Int32 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(socket)
            throw Problem(text: "can't connect: errno \(errno)")
        }
        return socket
    }

    private func talk(_ text: String, patience: Int) throws -> (answer: String, end: End) {
        let socket = try connected()
        defer { close(socket) }
        var time = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var request = Array(text.utf8)[...]
        while !request.isEmpty {
            let sent = request.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Problem(text: "can't send: errno \(errno)") }
            request = request.dropFirst(sent)
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            let text = { String(decoding: answer, as: UTF8.self) }
            if count == 0 { return (text(), .closed) }
            if count < 0, errno == ECONNRESET { return (text(), .reset) }
            guard count > 0 else { throw Problem(text: "can't receive: errno \(errno)") }
            answer += buffer[..<count]
        }
    }
}
