// Certificates made for one test, in a folder that goes with it.
import Foundation
import Glibc
import NIOSSL
import SluiceTestKit

/// An authority, a server's and a client's certificate by it, and another authority that nobody should trust.
final class Certificates {
    let folder: URL

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let nothing = SpawnStream.writing("/dev/null")
        let process = try spawn(
            ["/bin/sh", "-euc", "cd \"$0\"\n" + Self.script, folder.path()],
            environment: ProcessInfo.processInfo.environment,
            streams: (.reading("/dev/null"), nothing, nothing)
        )
        // A thread of its own: waiting would hold up the tests that share a pool of threads, and their time-outs would not wait.
        let status = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
        guard status == 0 else { throw CocoaError(.executableLoad) }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path() }

    /// The server's side; with `demanding`, clients have to come with a certificate of the authority.
    func server(demanding: Bool = false) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(path("server.pem")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: path("server.key"), format: .pem))
        )
        if demanding {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .file(path("authority.pem"))
        }
        return configuration
    }

    private static let script = """
        new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in authority stranger; do
            openssl req -x509 $new -keyout $name.key -out $name.pem -days 2 -subj /CN=$name
        done
        echo "subjectAltName=IP:127.0.0.1" > names
        for name in server client; do
            openssl req $new -keyout $name.key -out $name.csr -subj /CN=$name
            openssl x509 -req -in $name.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
                -days 2 -extfile names -out $name.pem
        done
        """
}
