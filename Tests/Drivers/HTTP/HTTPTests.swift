// What every exchange with a peer has to keep, tried on a server in the same process.
import Glibc
import HTTPDriver
import Testing

@Suite("HTTP with a peer", .timeLimit(.minutes(10)))
struct HTTPTests {
    @Test("a request arrives as it was meant, and its answer comes back")
    func echo() async throws {
        try await withServer { server, peer in
            let call = HTTPCall(
                .post,
                "\(server.url)/echo?a=b%20c",
                headers: [("X-One", "1")],
                body: HTTPBody(Array("payload".utf8))
            )
            let (reply, body) = try await peer.exchange(call, limit: 4096)
            let text = String(decoding: body, as: UTF8.self)
            #expect(reply.status == 200)
            #expect(text.hasPrefix("POST /echo?a=b%20c\n"))
            #expect(text.contains("X-One: 1"))
            #expect(text.hasSuffix("\n\npayload"))
        }
    }

    @Test("the peer's own headers go with every request, the secret one too")
    func headers() async throws {
        var options = HTTPOptions()
        options.headers = [("X-Always", "yes")]
        options.secretHeader = HTTPSecretHeader(name: "X-Key", value: "hush")
        try await withServer(options) { server, peer in
            let (_, body) = try await peer.exchange(HTTPCall(.get, "\(server.url)/echo"), limit: 4096)
            let text = String(decoding: body, as: UTF8.self)
            #expect(text.contains("X-Always: yes"))
            #expect(text.contains("X-Key: hush"))
        }
    }

    @Test("a connection is kept for the next request")
    func keepAlive() async throws {
        try await withServer { server, peer in
            for _ in 0..<5 { _ = try await peer.exchange(HTTPCall(.get, "\(server.url)/large"), limit: 1 << 22) }
            #expect(server.connections == 1)
        }
    }

    @Test("a body is appended to what the buffer holds")
    func appending() async throws {
        try await withServer { server, peer in
            var buffer = Array("before".utf8)
            let call = HTTPCall(.get, "\(server.url)/large")
            let reply = try await peer.exchange(call, appendingTo: &buffer, limit: 3_000_000)
            #expect(reply.status == 200)
            #expect(buffer.count == 3_000_006)
            #expect(buffer.starts(with: Array("beforexxx".utf8)))
        }
    }

    @Test("a redirect is an answer like any other")
    func redirect() async throws {
        try await withServer { server, peer in
            let (reply, _) = try await peer.exchange(HTTPCall(.get, "\(server.url)/redirect"), limit: 10)
            #expect(reply.status == 302)
            #expect(reply.header("location") == "/echo")
        }
    }

    @Test("an answer that is not wanted any more ends well, and its connection ends")
    func enough() async throws {
        try await withServer { server, peer in
            // On a busy machine several of its single bytes come in one piece.
            var count = 0
            let reply = try await peer.exchange(HTTPCall(.get, "\(server.url)/trickle")) { _, bytes in
                count += bytes.count
                return count >= 3 ? .enough : .more
            }
            #expect(reply.status == 200)
            #expect(count >= 3)
            try await server.waitForClosedConnection()
        }
    }

    @Test("a body over its limit is refused, announced or not", arguments: ["/large", "/unannounced"])
    func tooLarge(path: String) async throws {
        try await withServer { server, peer in
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await peer.exchange(HTTPCall(.get, server.url + path), limit: 100_000)
            }
            #expect(failure?.kind == .bodyTooLarge)
        }
    }

    @Test(
        "what goes wrong has a name, and says that the request may have arrived",
        arguments: [
            ("/cut", HTTPFailure.Kind.closed), ("/reset", .closed), ("/garbage", .invalidAnswer),
        ]
    )
    func failures(path: String, kind: HTTPFailure.Kind) async throws {
        try await fails(path, kind, HTTPOptions())
    }

    @Test("silence ends by a time-out, before the answer and within it", arguments: ["/silent", "/stall"])
    func stall(path: String) async throws {
        var options = HTTPOptions()
        options.stallTimeout = .milliseconds(200)
        try await fails(path, .timedOut, options)
    }

    @Test(
        "no answer in time ends by a time-out, even if the peer is never silent for long",
        arguments: ["/silent", "/trickle"]
    )
    func timeOut(path: String) async throws {
        var options = HTTPOptions()
        options.requestTimeout = .milliseconds(300)
        try await fails(path, .timedOut, options)
    }

    private func fails(_ path: String, _ kind: HTTPFailure.Kind, _ options: HTTPOptions) async throws {
        try await withServer(options) { server, peer in
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await peer.exchange(HTTPCall(.get, "\(server.url)\(path)?secret=1"), limit: 1 << 20)
            }
            #expect(failure?.kind == kind)
            #expect(failure?.mayHaveReached == true)
            #expect(failure?.message.hasPrefix("GET \(server.url)\(path): ") == true)
        }
    }

    @Test("what had arrived before the connection broke was handed out")
    func partial() async throws {
        try await withServer { server, peer in
            var body: [UInt8] = []
            await #expect(throws: HTTPFailure.self) {
                try await peer.exchange(HTTPCall(.get, "\(server.url)/cut")) { _, bytes in
                    body += bytes
                    return .more
                }
            }
            #expect(body == Array("some".utf8))
        }
    }

    @Test("nobody listening is a failure to connect, at once and certainly unseen")
    func refused() async throws {
        // Bound and not listening: the port is nobody else's meanwhile.
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) + getsockname(socket, $0, &length)
            }
        }
        try #require(code == 0)
        let peer = try HTTPPeer()
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await peer.exchange(
                HTTPCall(.get, "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"),
                limit: 10
            )
        }
        #expect(failure?.kind == .connectFailed)
        #expect(failure?.mayHaveReached == false)
        await peer.shutdown()
    }

    @Test(
        "a URL that can't be asked is refused before anything is sent",
        arguments: ["", "nowhere", "ftp://127.0.0.1/", "http://"]
    )
    func invalidURL(url: String) async throws {
        let peer = try HTTPPeer()
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await peer.exchange(HTTPCall(.get, url), limit: 10)
        }
        #expect(failure?.kind == .invalidURL)
        #expect(failure?.mayHaveReached == false)
        await peer.shutdown()
    }

    @Test("a secret that no header may hold is refused without being shown")
    func secret() async throws {
        var options = HTTPOptions()
        options.secretHeader = HTTPSecretHeader(name: "X-Key", value: "hush\r\nX-Other: 1")
        #expect(!"\(options)".contains("hush"))
        var dumped = ""
        dump(options, to: &dumped)
        #expect(!dumped.contains("hush"))
        try await withServer(options) { server, peer in
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await peer.exchange(HTTPCall(.get, server.url), limit: 10)
            }
            #expect(failure?.kind == .invalidRequest)
            #expect(failure?.message.contains("hush") == false)
            #expect(server.connections == 0)
        }
    }

    @Test("a cancelled exchange says so", arguments: ["/silent", "/stall"])
    func cancelled(path: String) async throws {
        try await withServer { server, peer in
            let kind = await withTaskGroup(of: HTTPFailure.Kind?.self) { group in
                group.addTask {
                    do throws(HTTPFailure) {
                        _ = try await peer.exchange(HTTPCall(.get, server.url + path), limit: 10_000)
                        return nil
                    } catch {
                        return error.kind
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(kind == .cancelled)
        }
    }

    @Test("a peer that was shut down answers no more, and can be shut down again")
    func shutdown() async throws {
        let server = try await ScriptedServer()
        let peer = try HTTPPeer()
        await peer.shutdown()
        await peer.shutdown()
        await #expect(throws: HTTPFailure.self) {
            _ = try await peer.exchange(HTTPCall(.get, "\(server.url)/echo"), limit: 4096)
        }
        try await server.stop()
    }

    @Test("a peer that nobody shut down goes quietly")
    func forgotten() async throws {
        let server = try await ScriptedServer()
        do {
            let peer = try HTTPPeer()
            _ = try await peer.exchange(HTTPCall(.get, "\(server.url)/echo"), limit: 4096)
        }
        try await server.waitForClosedConnection()
        try await server.stop()
    }
}

/// A server and a peer for it, both gone afterwards.
func withServer(
    _ options: HTTPOptions = HTTPOptions(),
    _ body: (ScriptedServer, HTTPPeer) async throws -> Void
) async throws {
    let server = try await ScriptedServer()
    let peer = try HTTPPeer(options)
    try await body(server, peer)
    await peer.shutdown()
    try await server.stop()
}
