// Which call of the API a request is.
import HTTPTypes
import Hummingbird

/// A request's target, its names unescaped.
enum EcommerceRoute: Equatable {
    case documents(index: String, isUpdate: Bool)
    case read(index: String)
    case job(index: String, job: String)
    case stats
    case listing(index: String)
    case capacity
    case unknown

    init(_ request: Request, base: String) {
        let path = request.uri.path
        if path.hasPrefix("/stand-in/") {
            self = Self.control(request.method, Self.parts(path.dropFirst("/stand-in/".count)))
        } else if path.hasPrefix(base + "/") {
            self = Self.api(request.method, Self.parts(path.dropFirst(base.count + 1)))
        } else {
            self = .unknown
        }
    }

    var kind: EcommerceRequestKind {
        switch self {
        case .documents(_, let isUpdate): isUpdate ? .update : .write
        case .read: .read
        case .job: .job
        case .stats, .listing, .capacity, .unknown: .other
        }
    }

    private static func api(_ method: HTTPRequest.Method, _ parts: [String]) -> EcommerceRoute {
        guard parts.count >= 3, parts[0] == "indexes" else { return .unknown }
        switch (method, parts.count, parts[2]) {
        case (.post, 3, "documents"): return .documents(index: parts[1], isUpdate: false)
        case (.patch, 3, "documents"): return .documents(index: parts[1], isUpdate: true)
        case (.post, 3, "get-documents"): return .read(index: parts[1])
        case (.get, 4, "jobs"): return .job(index: parts[1], job: parts[3])
        default: return .unknown
        }
    }

    private static func control(_ method: HTTPRequest.Method, _ parts: [String]) -> EcommerceRoute {
        switch (method, parts.count, parts.first) {
        case (.get, 1, "stats"): .stats
        case (.put, 1, "capacity"): .capacity
        case (.get, 3, "indexes") where parts[2] == "documents": .listing(index: parts[1])
        default: .unknown
        }
    }

    private static func parts(_ path: Substring) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: false).map { unescaped($0) ?? "" }
    }

    /// The text without its `%xx`; nil if it is not properly escaped.
    static func unescaped(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The text with `%xx` for everything that is not a letter, a digit or one of `-._~`.
    static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: text.unicodeScalars.append(.init(byte))
            default: text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
