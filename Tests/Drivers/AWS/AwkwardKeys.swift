// Keys that signatures stumble over, and what each server can't do with them.

/// What is done with a key, one after the other.
enum KeyStep: String, CaseIterable {
    case put, streaming, unsigned, trailer, range, rangeOfOurs, multipart, list, listByPrefix
    case presignedPut, presignedGet, presignedQuery, delete, batchDelete
}

enum AwkwardKeys {
    static let long = String(repeating: "x", count: 1024)
    static let longParts = "long/" + String(repeating: String(repeating: "ü ", count: 66) + "/", count: 4) + "end"

    static let all = [
        "plain", "a b", "a+b", "a%2Fb", "%", "%zz", "%25", "ü/ñ/日本語", "e\u{301}", "😀", "~tilde~/~", ".hidden/.dot",
        "a//b",
        "/leading", "trailing/", "a/../b", "./a", "a/.", "quote'\"<&>", "a=b&c=d?e#f", "semi;colon:comma,",
        "(paren)!*'",
        "$@[]{}|^`", "back\\slash", "tab\tin", "line\nin", "u\u{1}x", longParts, long,
    ]
}

/// Where a server is no S3, whoever signs; none of it is a refused signature.
///
/// A test finds exactly these, so that a newer version that can do more is noticed.
struct VerifierLimits {
    /// Keys that it has no names for, and what it answers to a put of them.
    var refused: [String: String] = [:]
    /// What goes otherwise whatever the key.
    var always: [KeyStep: String] = [:]
    /// What goes otherwise for one key: `other` is a result that is not S3's.
    var some: [String: [KeyStep: String]] = [:]
    /// What it answers to a presigned URL that has expired.
    var expired = "403 AccessDenied"
    /// What it answers to a clock that is slow, if that does not tell it from a missing permission.
    var slowClock: String?
    /// Whether it looks at the signatures of a stream's chunks.
    var checksChunks = true

    func outcome(_ step: KeyStep, _ key: String) -> String { some[key]?[step] ?? always[step] ?? "done" }
}

extension S3Verifier {
    var limits: VerifierLimits {
        switch self {
        case .ministack: VerifierLimits()
        case .rclone: Self.rcloneLimits
        case .juicefs: Self.juicefsLimits
        }
    }

    /// Keys are paths of a file system, in which it wants no empty parts and no dots.
    ///
    /// It answers a range with status 200, which our driver does not take for the range.
    private static var rcloneLimits: VerifierLimits {
        let paths = ["a//b", "/leading", "a/../b", "./a", "a/."].map { ($0, "400 InvalidArgument") }
        return VerifierLimits(
            refused: Dictionary(uniqueKeysWithValues: paths),
            always: [.rangeOfOurs: "invalidAnswer"],
            some: ["trailing/": [.list: "other", .listByPrefix: "other", .batchDelete: "other"]],
            expired: "400 AccessDenied",
            slowClock: "400 AccessDenied",
            checksChunks: false
        )
    }

    /// Keys are paths of a file system: one that ends in a slash is a folder, and empty parts are dropped.
    ///
    /// MinIO's gateway, which it is made of, is older than checksums behind a body.
    private static var juicefsLimits: VerifierLimits {
        let paths = ["a/../b", "./a", "a/."].map { ($0, "400 XMinioInvalidResourceName") }
        let folders = [("trailing/", "409 XMinioObjectExistsAsDirectory")]
        return VerifierLimits(
            refused: Dictionary(uniqueKeysWithValues: paths + folders),
            always: [.trailer: "400 XAmzContentSHA256Mismatch"],
            some: [
                "a//b": [.list: "other", .listByPrefix: "400 XMinioInvalidObjectName"],
                "/leading": [.list: "other", .listByPrefix: "other"],
            ]
        )
    }
}
