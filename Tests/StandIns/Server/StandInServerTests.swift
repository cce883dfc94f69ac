// Tries the server under the stand-ins: it answers, breaks connections as told, and stops.
import Glibc
import Hummingbird
import NIOCore
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("The stand-ins' server", .timeLimit(.minutes(10)))
struct StandInServerTests {
    /// Answers every request with a text of ten bytes, with one fault in it.
    struct Ten: HTTPResponder {
        var fault: ConnectionFault?
        var clock: any Timekeeping = ManualClock()

        func respond(to request: Request, context: StandInContext) async throws -> Response {
            let response = Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "0123456789")))
            guard let fault else { return response }
            return try await context.answer(response, with: fault, clock: clock)
        }
    }

    private let request = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"

    @Test("a request without a fault is answered")
    func answers() async throws {
        try await withServer(Ten()) { url in
            let (answer, end) = try await RawClient(url).exchange(request)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n0123456789"))
            #expect(end == .closed)
        }
    }

    @Test(
        "a connection breaks as the fault says",
        arguments: [
            (ConnectionFault.reset, "", RawClient.End.reset),
            (.hangUp, "", .closed),
            (.cut(afterBytes: 4), "0123", .closed),
            (.cut(afterBytes: 0), "", .closed),
            (.cut(afterBytes: 99), "0123456789", .closed),
            (.resetAfter(bytes: 4), "0123", .reset),
            (.raw(Array("no HTTP at all".utf8)), "no HTTP at all", .closed),
        ]
    )
    func breaks(fault: ConnectionFault, body: String, end: RawClient.End) async throws {
        try await withServer(Ten(fault: fault)) { url in
            let (answer, ended) = try await RawClient(url).exchange(request)
            let found = answer.split(separator: "\r\n\r\n", omittingEmptySubsequences: false)
            #expect(String(found.last ?? "") == body)
            #expect(ended == end)
        }
    }

    @Test("a stalled answer comes when its time has come")
    func stalls() async throws {
        let clock = ManualClock()
        try await withServer(Ten(fault: .stall(.seconds(5)), clock: clock)) { url in
            async let exchange = RawClient(url).exchange(request)
            try await clock.sleepers(atLeast: 1)
            clock.advance(by: .seconds(5))
            #expect(try await exchange.answer.hasSuffix("0123456789"))
        }
    }

    @Test("an answer that never comes leaves the server free to stop")
    func stallsForEver() async throws {
        try await withServer(Ten(fault: .stall(nil))) { url in
            let client = try RawClient(url)
            await #expect(throws: RawClient.Problem.self) { try await client.exchange(request, patience: 1) }
        }
    }

    @Test("a port that is taken is an error, not a wait")
    func takenPort() async throws {
        try await withServer(Ten()) { url in
            let port = Int(try RawClient(url).port)
            await #expect(throws: (any Error).self) { try await StandInServer(Ten(), port: port).run() }
        }
    }

    @Test("what the body throws comes out, and the server has stopped")
    func bodyThrows() async throws {
        struct Own: Error {}
        var seen = ""
        do {
            try await withServer(Ten()) { url in
                seen = url
                throw Own()
            }
        } catch is Own {}
        // Another test's server may have the port by now; it is not this one that answers.
        let client = try RawClient(seen)
        do {
            let (answer, _) = try await client.exchange(request)
            #expect(!answer.contains("0123456789"))
        } catch is RawClient.Problem {}
    }

    @Test("stopped while connections come in, it ends them in order")
    func stoppedWhileAccepting() async throws {
        for _ in 0..<40 {
            let clients = try await withServer(Ten()) { url in
                // Connected, and nothing said: the server gets to them, or is stopped before.
                try RawClient(url).connections(12)
            }
            for client in clients { close(client) }
        }
    }
}
