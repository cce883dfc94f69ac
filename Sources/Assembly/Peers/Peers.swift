// Services over HTTP as the settings say they are reached: with which key, certificates and patience.
import EcommerceDriver
import Glibc
import HTTPDriver
import SluiceCore
import SluiceEngine
import VespaDriver

extension Settings {
    /// - Throws: `JobError.field` if the URL, the key's file or a certificate can't be used.
    func vespaSource(_ url: String, index: String) throws(JobError) -> VespaSource {
        var options = options(vespa)
        if let key = try vespa.key("vespa") {
            options.secretHeader = HTTPSecretHeader(name: "Authorization", value: "Bearer \(key)")
        }
        // A slice is one connection.
        options.connectionsPerHost = engine.slicesAtOnce
        let place = try VespaURL(url, field: "source")
        do {
            return try VespaSource(place, index: index, options: options)
        } catch {
            throw .field("source", "\(error)")
        }
    }

    /// - Throws: `JobError.field` if the URL or a certificate can't be used, or if there is no key.
    func ecommerceSink(_ url: String, of job: Job, log: @escaping @Sendable (String) -> Void) throws(JobError)
        -> EcommerceSink
    {
        var options = options(ecommerce)
        // Beside the deliveries, receipts are asked about.
        options.connectionsPerHost = engine.deliveriesMax + engine.confirmationsMax
        guard let key = try ecommerce.key("ecommerce") else {
            let variable = SettingKey.environmentName(of: "ecommerce.api-key")
            throw .field(
                "ecommerce.api-key",
                "there is no key; set \(variable), or name a file that holds it with ecommerce.api-key-file"
            )
        }
        return try EcommerceSink(
            url: try EcommerceURL(url, field: "sink"),
            index: job.targetIndexName,
            type: job.reindexType,
            key: try EcommerceKey(key, field: "ecommerce.api-key"),
            header: ecommerce.keyHeader,
            options: options,
            notice: log
        )
    }

    private func options(_ peer: PeerSettings) -> HTTPOptions {
        var options = HTTPOptions()
        options.connectTimeout = connectTimeout
        options.requestTimeout = requestTimeout
        options.stallTimeout = requestTimeout
        options.headers = peer.headers.map { (name: $0.name, value: $0.value) }
        options.tls = HTTPOptions.TLS(
            trustRootsFile: peer.trustRoots,
            certificateFile: peer.clientCertificate,
            keyFile: peer.clientKey
        )
        return options
    }
}

extension PeerSettings {
    /// The key itself, or what its file holds now; nil if neither is set.
    ///
    /// The service's settings begin with `name`.
    ///
    /// - Throws: `JobError.field` if the file can't be read or holds none.
    fileprivate func key(_ name: String) throws(JobError) -> String? {
        if let apiKey { return apiKey }
        guard let path = apiKeyFile else { return nil }
        guard let file = fopen(path, "r") else {
            throw .field("\(name).api-key-file", "can't read \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: Self.keyBytesMax + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        let key = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline).first
        guard let key, count <= Self.keyBytesMax else {
            throw .field("\(name).api-key-file", "\(path) holds no key in its first line")
        }
        return String(key)
    }

    private static let keyBytesMax = 8192
}
