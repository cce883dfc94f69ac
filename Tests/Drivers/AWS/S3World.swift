// A bucket whose answers a test scripts.
import HTTPDriver
import SluiceCore
import SluiceStandIns

@testable import AWSDriver

enum S3World {
    /// Parts of ten bytes, two at a time.
    static func options() -> S3ObjectStore.Options {
        var options = S3ObjectStore.Options()
        options.partBytes = 10
        options.width = 2
        return options
    }

    static func run(
        _ standIn: ScriptedStandIn,
        http: HTTPOptions = HTTPOptions(),
        _ body: (S3ObjectStore, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await AWSWorld.run(.s3, standIn, http: http, clock: EagerClock()) { client, standIn in
            try await body(S3ObjectStore(S3(client, bucket: "bucket"), options: options()), standIn)
        }
    }

    static func error(_ code: String) -> String { "<Error><Code>\(code)</Code><Message>why</Message></Error>" }

    /// Answers an upload in parts as S3 does, but for what the test says.
    static func upload(_ other: @escaping @Sendable (ScriptedStandIn.Asked) -> Answer?) -> ScriptedStandIn {
        ScriptedStandIn { _, asked in
            if let answer = other(asked) { return answer }
            switch operation(asked) {
            case "begin": return Answer(200, "<R><UploadId>u&amp;1</UploadId></R>")
            case "part": return Answer(200, headers: [("ETag", "\"tag-\(asked.text.first ?? "-")\"")])
            case "finish": return Answer(200, "<CompleteMultipartUploadResult/>")
            case "abort": return Answer(204)
            case "parts": return Answer(404, error("NoSuchUpload"))
            default: return Answer(200)
            }
        }
    }

    /// What a request of an upload is.
    static func operation(_ asked: ScriptedStandIn.Asked) -> String {
        switch asked.method {
        case "POST": asked.target.contains("uploads") ? "begin" : "finish"
        case "PUT": asked.target.contains("partNumber") ? "part" : "put"
        case "DELETE": asked.target.contains("uploadId") ? "abort" : "delete"
        case "GET": asked.target.contains("uploadId") ? "parts" : "get"
        default: "head"
        }
    }

    static func operations(_ standIn: ScriptedStandIn) -> [String] { standIn.asked.map { operation($0) } }
}
