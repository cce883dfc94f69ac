// TLS is always verified, and can be asked to show a certificate.
import Foundation
import HTTPDriver
import NIOSSL
import Testing

@Suite("TLS with a peer", .timeLimit(.minutes(10)))
struct TLSTests {
    @Test("a server whose authority is trusted is spoken to")
    func trusted() async throws {
        let files = try await Certificates()
        let status = try await status(of: files.server(), trustRootsFile: files.path("authority.pem"))
        #expect(status == 200)
    }

    @Test("a server of another authority is refused before it sees the request")
    func stranger() async throws {
        let files = try await Certificates()
        for trustRoots in [files.path("stranger.pem"), nil] {
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await status(of: files.server(), trustRootsFile: trustRoots)
            }
            #expect(failure?.kind == .tlsFailed)
            #expect(failure?.mayHaveReached == false)
        }
    }

    @Test("an authority given as text is trusted, and nobody beside it", arguments: [true, false])
    func text(isTrusted: Bool) async throws {
        let files = try await Certificates()
        let text = try String(contentsOfFile: files.path(isTrusted ? "authority.pem" : "stranger.pem"), encoding: .utf8)
        let server = try files.server()
        if isTrusted {
            #expect(try await status(of: server, trustRootsText: text) == 200)
        } else {
            let failure = await #expect(throws: HTTPFailure.self) {
                _ = try await status(of: server, trustRootsText: text)
            }
            #expect(failure?.kind == .tlsFailed)
            #expect(failure?.mayHaveReached == false)
        }
    }

    @Test("a text that holds no certificate is refused", arguments: ["", "no certificate"])
    func badText(text: String) {
        var options = HTTPOptions()
        options.tls.trustRootsText = text
        let failure = #expect(throws: HTTPFailure.self) { _ = try HTTPPeer(options) }
        #expect(failure?.kind == .tlsFailed)
    }

    @Test("a client certificate is shown where one is demanded")
    func clientCertificate() async throws {
        let files = try await Certificates()
        let status = try await status(
            of: files.server(demanding: true),
            trustRootsFile: files.path("authority.pem"),
            certificateFile: files.path("client.pem"),
            keyFile: files.path("client.key")
        )
        #expect(status == 200)
    }

    @Test("without the certificate that is demanded nothing is answered")
    func missingClientCertificate() async throws {
        let files = try await Certificates()
        let failure = await #expect(throws: HTTPFailure.self) {
            _ = try await status(of: files.server(demanding: true), trustRootsFile: files.path("authority.pem"))
        }
        #expect(failure?.kind == .tlsFailed)
    }

    @Test("a file that is no PEM file is named")
    func badFiles() async throws {
        let files = try await Certificates()
        var options = HTTPOptions()
        options.tls.trustRootsFile = files.path("names")
        let failure = #expect(throws: HTTPFailure.self) { _ = try HTTPPeer(options) }
        #expect(failure?.message.contains(files.path("names")) == true)
        options.tls = HTTPOptions.TLS(certificateFile: files.path("client.pem"), keyFile: files.path("absent"))
        let other = #expect(throws: HTTPFailure.self) { _ = try HTTPPeer(options) }
        #expect(other?.message.contains(files.path("absent")) == true)
        options.tls = HTTPOptions.TLS(certificateFile: files.path("client.pem"))
        #expect(throws: HTTPFailure.self) { _ = try HTTPPeer(options) }
    }

    private func status(
        of server: TLSConfiguration,
        trustRootsFile: String? = nil,
        trustRootsText: String? = nil,
        certificateFile: String? = nil,
        keyFile: String? = nil
    ) async throws -> Int {
        let server = try await ScriptedServer(tls: server)
        var options = HTTPOptions()
        options.tls = HTTPOptions.TLS(
            trustRootsFile: trustRootsFile,
            trustRootsText: trustRootsText,
            certificateFile: certificateFile,
            keyFile: keyFile
        )
        let peer = try HTTPPeer(options)
        do {
            let (reply, _) = try await peer.exchange(HTTPCall(.get, "\(server.url)/echo"), limit: 4096)
            await peer.shutdown()
            try await server.stop()
            return reply.status
        } catch {
            await peer.shutdown()
            try await server.stop()
            throw error
        }
    }
}
