// Many keys at once: listing and deleting.
internal import HTTPDriver
package import SluiceCore

extension S3 {
    /// The most keys of one call.
    package static let keysMax = 1000

    /// A page of a list.
    package struct Page: Sendable {
        package let objects: [ObjectSummary]
        /// Where the next page begins, or nil if there is none.
        package let next: String?
    }

    /// A key that was not deleted.
    package struct KeyFailure: Sendable, Equatable {
        package let key: String
        package let code: String
        package let message: String
    }

    /// A page of the keys that begin with `prefix`, in the order of their bytes.
    ///
    /// - Parameters:
    ///   - prefix: what all begin with.
    ///   - after: a key before all of them; it need not exist.
    ///   - next: what the page before said.
    ///   - limit: 1 to 1000; more counts as 1000.
    /// - Returns: the page.
    /// - Throws: S3's refusal.
    package func list(
        prefix: String,
        after: String?,
        next: String?,
        limit: Int
    ) async throws(AWSError) -> Page {
        let operation = "ListObjectsV2"
        var query = [
            (name: "list-type", value: "2"), ("encoding-type", "url"), ("max-keys", String(min(limit, Self.keysMax))),
        ]
        if !prefix.isEmpty { query.append(("prefix", prefix)) }
        if let next {
            query.append(("continuation-token", next))
        } else if let after, !after.isEmpty {
            query.append(("start-after", after))
        }
        let answer = try await client.send(call(operation, .get, query: query))
        guard let root = try? XMLElement.parse(answer.body), root.name == "ListBucketResult" else {
            throw client.senseless(operation, "the answer is no list", answer)
        }
        var objects: [ObjectSummary] = []
        for object in root.all("Contents") {
            guard let key = (object["Key"]?.text).flatMap({ Escaping.unescaped($0) }),
                let bytes = (object["Size"]?.text).flatMap({ Int($0) })
            else { throw client.senseless(operation, "an object lacks its key or size", answer) }
            objects.append(ObjectSummary(key: key, bytes: bytes))
        }
        let isTruncated = root["IsTruncated"]?.text == "true"
        return Page(objects: objects, next: isTruncated ? root["NextContinuationToken"]?.text : nil)
    }

    /// Deletes one object; that there is none is no error.
    package func delete(_ key: String) async throws(AWSError) {
        do {
            _ = try await client.send(call("DeleteObject", .delete, key))
        } catch {
            guard error.code == "NoSuchKey" else { throw error }
        }
    }

    /// Deletes up to 1000 objects, whose keys hold no characters that XML has not.
    ///
    /// - Returns: which were not deleted; that there is none is no failure.
    package func delete(_ keys: [String]) async throws(AWSError) -> [KeyFailure] {
        precondition(keys.count <= Self.keysMax, "S3 deletes up to 1000 objects at once")
        let operation = "DeleteObjects"
        let objects = keys.map { "<Object><Key>\(XMLText.escaped($0))</Key></Object>" }.joined()
        let body = HTTPBody(Array("<Delete><Quiet>true</Quiet>\(objects)</Delete>".utf8))
        var call = guarded(call(operation, .post, query: [("delete", "")], body: body))
        call.mayFailInside = true
        let answer = try await client.send(call)
        guard let root = try? XMLElement.parse(answer.body), root.name == "DeleteResult" else {
            throw client.senseless(operation, "the answer is no result", answer)
        }
        return root.all("Error").map { error in
            KeyFailure(
                key: error["Key"]?.text ?? "",
                code: error["Code"]?.text ?? "Unknown",
                message: error["Message"]?.text ?? ""
            )
        }.filter { $0.code != "NoSuchKey" }
    }
}

extension Escaping {
    /// A text of a form or of S3's lists: `%XX` is a byte, `+` a space; nil if it is none.
    static func unescaped(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
