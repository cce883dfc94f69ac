// Answers as HTTP: their bodies, their statuses, when to come again.
import HTTPTypes
import Hummingbird
import NIOCore
package import SluiceCore

extension EcommerceStandIn {
    static let keyHeader = name("X-API-Key")
    static let nextHeader = name("Stand-In-Next")

    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a header's name") }
        return name
    }

    static func json(_ status: Int, _ body: [UInt8]) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }

    static func refusal(_ refusal: EcommerceRefusal, now: Timestamp) -> Response {
        let body: JSONValue = ["message": .string(refusal.message)]
        var response = json(refusal.status, body.bytes())
        switch refusal.retryAfter {
        case .none: break
        case .seconds(let seconds): response.headers[.retryAfter] = "\(seconds)"
        case .date(let wait): response.headers[.retryAfter] = date(now.advanced(by: wait))
        }
        return response
    }

    /// A moment as HTTP writes it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func date(_ moment: Timestamp) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let civil = moment.civil
        let day = days[Int(moment.seconds / 86_400 % 7)]
        return "\(day), \(pad(civil.day, 2)) \(months[civil.month - 1]) \(pad(civil.year, 4)) "
            + "\(pad(civil.hour, 2)):\(pad(civil.minute, 2)):\(pad(civil.second, 2)) GMT"
    }
}

/// The bodies of answers, by the contract.
enum EcommerceJSON {
    static func accepted(_ job: EcommerceWorld.Job, _ options: EcommerceOptions) -> [UInt8] {
        let status = options.vocabulary == .newer ? "PENDING" : "QUEUED"
        let body: JSONValue = .object([options.jobIDField: .string(job.id), "status": .string(status)])
        return body.bytes()
    }

    static func job(
        _ job: EcommerceWorld.Job,
        _ options: EcommerceOptions,
        now: Timestamp,
        saying status: String?
    ) -> [UInt8] {
        var body: JSONObject = [
            options.jobIDField: .string(job.id), "total_items": .number(JSONNumber(job.count)),
        ]
        guard status == nil, job.isProcessed, job.polls > options.pollsBeforeEnd else {
            body["status"] = .string(status ?? openStatus(job, options, now))
            return JSONValue.object(body).bytes()
        }
        if case .fails? = job.fault {
            body["status"] = "FAILED"
            body["error"] = "by plan"
        } else {
            body["status"] = "COMPLETED"
            body["failedItems"] = failedItems(job.failures, options.failedItems)
        }
        return JSONValue.object(body).bytes()
    }

    private static func openStatus(
        _ job: EcommerceWorld.Job,
        _ options: EcommerceOptions,
        _ now: Timestamp
    ) -> String {
        let isRunning = now >= job.acceptedAt.advanced(by: job.acceptedAt.duration(to: job.readyAt) / 2)
        return switch options.vocabulary {
        case .newer: isRunning ? "IN_PROGRESS" : "PENDING"
        case .older: isRunning ? "RUNNING" : "QUEUED"
        }
    }

    private static func failedItems(
        _ failures: [EcommerceIndex.Failure],
        _ form: EcommerceOptions.FailedItemsForm
    ) -> JSONValue {
        switch form {
        case .number: .number(JSONNumber(failures.count))
        case .ids: .array(failures.map { text($0.id) })
        case .objects: .array(failures.map { item($0.id, $0.status, $0.error) })
        }
    }

    /// Each document's result, in the order in which they were sent.
    static func items(_ changes: [EcommerceChange], _ failures: [EcommerceIndex.Failure]) -> [UInt8] {
        var failed = failures[...]
        let items = changes.map { change -> JSONValue in
            guard let failure = failed.first, failure.id == change.id else { return item(change.id, 200, nil) }
            failed.removeFirst()
            return item(failure.id, failure.status, failure.error)
        }
        let body: JSONValue = ["errors": .bool(!failures.isEmpty), "items": .array(items)]
        return body.bytes()
    }

    private static func item(_ id: [UInt8]?, _ status: Int, _ error: String?) -> JSONValue {
        var object: JSONObject = ["_id": text(id), "status": .number(JSONNumber(status))]
        if let error { object["error"] = .string(error) }
        return .object(object)
    }

    private static func text(_ id: [UInt8]?) -> JSONValue {
        id.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null
    }

    /// The documents that were asked for, spliced together from their bytes.
    static func found(_ ids: [String], _ found: [EcommerceIndex.Held?]) -> [UInt8] {
        var body = Array(#"{"results":["#.utf8)
        for (number, (id, held)) in zip(ids, found).enumerated() {
            if number > 0 { body.append(UInt8(ascii: ",")) }
            switch held {
            case .document(let bytes)?:
                // It has an id, so there is a member behind the brace.
                body += Array(#"{"_found":true,"#.utf8)
                body += bytes.dropFirst()
            case .digest(let digest)?:
                let object: JSONValue = ["_found": true, "_id": .string(id), "digest": .string(hexadecimal(digest))]
                object.write(into: &body)
            case nil:
                let object: JSONValue = ["_id": .string(id), "_found": false, "message": "no such document"]
                object.write(into: &body)
            }
        }
        body += Array("]}".utf8)
        return body
    }

    static func hexadecimal(_ digest: UInt64) -> String {
        let digits = String(digest, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
