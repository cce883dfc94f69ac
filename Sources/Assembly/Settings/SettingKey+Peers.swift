// The keys of the services that jobs read from and write to.

extension SettingKey {
    static let peers =
        keys(
            of: "vespa",
            \.vespa,
            url: "Where indexes are read by jobs that name no source: vespa+http://host:port or vespa+https.",
            key: "Sent to Vespa as a bearer token, if it asks for one."
        )
        + keys(
            of: "ecommerce",
            \.ecommerce,
            url: "Where shops' indexes are written by jobs that name no sink: ecommerce+https://host/api/v1.",
            key: "The key of the Ecommerce API."
        )
        + [
            choice("ecommerce.key-header", \.ecommerce.keyHeader, "How the Ecommerce API's key is handed over."),
            seconds("http.connect-timeout.seconds", \.connectTimeout, 0.1...600, "How long a connection may take."),
            seconds("http.request-timeout.seconds", \.requestTimeout, 1...3600, "How long an answer may take."),
        ]

    private static func keys(
        of name: String,
        _ peer: Path<PeerSettings>,
        url: String,
        key: String
    ) -> [SettingKey] {
        [
            text("\(name).url", peer, \.url, "a URL", url),
            text("\(name).api-key", peer, \.apiKey, "a key", isSecret: true, key),
            text(
                "\(name).api-key-file",
                peer,
                \.apiKeyFile,
                "a path",
                "A file that holds the key; read again when a job is taken up again."
            ),
            text(
                "\(name).api-key-secret",
                peer,
                \.apiKeySecret,
                "a reference",
                "What AWS keeps the key under: a secret's ARN or name, perhaps with #member, or ssm:parameter."
            ),
            text(
                "\(name).trust-roots",
                peer,
                \.trustRoots,
                "a path",
                "PEM file of the authorities to trust, in place of the system's."
            ),
            text(
                "\(name).client-certificate",
                peer,
                \.clientCertificate,
                "a path",
                "PEM file of the certificate to show, with client-key beside it."
            ),
            text("\(name).client-key", peer, \.clientKey, "a path", "PEM file of that certificate's key."),
            headers("\(name).headers", peer),
        ]
    }

    private static func headers(_ name: String, _ peer: Path<PeerSettings>) -> SettingKey {
        SettingKey(
            name,
            type: "secret",
            range: "Name: value, several between semicolons",
            isSecret: true,
            "Headers sent with every request.",
            text: { $0[keyPath: peer].headers.map { "\($0.name): \($0.value)" }.joined(separator: "; ") },
            store: { text, settings in
                guard let headers = PeerHeader.list(text) else { return nil }
                settings[keyPath: peer].headers = headers
                return ()
            }
        )
    }
}
