// How the API says no.
import HTTPTypes
import Hummingbird
import NIOCore
import SluiceCore

/// A `Status`, as it is thrown and answered.
struct KubernetesStatus: Error {
    var code: Int
    var reason: String
    var message: String
    var retryAfter: Int?

    init(_ code: Int, _ reason: String, _ message: String, retryAfter: Int? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.retryAfter = retryAfter
    }

    /// What the API itself says with a status.
    init(_ code: Int, for verb: String, namespace: String) {
        let (reason, message) =
            switch code {
            case 400: ("BadRequest", "the request is wrong by plan")
            case 401: ("Unauthorized", "Unauthorized")
            case 403:
                (
                    "Forbidden",
                    #"jobs.batch is forbidden: User "sluice" cannot \#(verb) resource "jobs" in API group "batch" "#
                        + #"in the namespace "\#(namespace)""#
                )
            case 404: ("NotFound", #"jobs.batch "by-plan" not found"#)
            case 409: ("AlreadyExists", #"jobs.batch "by-plan" already exists"#)
            case 410: ("Expired", "too old resource version by plan")
            case 422: ("Invalid", #"Job.batch "by-plan" is invalid"#)
            case 429: ("TooManyRequests", "too many requests, please try again later")
            case 500: ("InternalError", "Internal error occurred: by plan")
            case 504: ("Timeout", "Timeout: request did not complete within the allotted timeout")
            default: ("ServiceUnavailable", "the server is currently unable to handle the request")
            }
        self.init(code, reason, message)
    }

    static func invalid(_ name: String, _ problems: [String]) -> KubernetesStatus {
        let list = problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
        return KubernetesStatus(422, "Invalid", #"Job.batch "\#(name)" is invalid: \#(list)"#)
    }

    static func absent(_ name: String) -> KubernetesStatus {
        KubernetesStatus(404, "NotFound", #"jobs.batch "\#(name)" not found"#)
    }

    var json: JSONValue {
        var details = JSONObject()
        if let retryAfter { details["retryAfterSeconds"] = .number(JSONNumber(retryAfter)) }
        return [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
            "reason": .string(reason), "details": .object(details), "code": .number(JSONNumber(code)),
        ]
    }

    var response: Response {
        var response = KubernetesStandIn.json(code, json)
        if let retryAfter { response.headers[.retryAfter] = "\(retryAfter)" }
        return response
    }
}
