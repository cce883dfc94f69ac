// What the codes of AWS's errors mean, as far as they mean the same for all services.
import SluiceCore

enum AWSErrorCodes {
    /// Too many calls; nothing was done.
    static let throttling: Set = [
        "BandwidthLimitExceeded", "EC2ThrottledException", "KmsThrottled", "LimitExceededException", "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException",
    ]

    /// The same call came before, and what becomes of that one is open.
    static let unfinished: Set = ["TransactionInProgressException"]

    static let transient: Set = [
        "IDPCommunicationError", "InternalError", "InternalFailure", "InternalServerError", "RequestTimeout",
        "RequestTimeoutException", "ServiceUnavailable", "ServiceUnavailableException",
        "TransactionInProgressException",
    ]

    static func mayPass(_ code: String) -> Bool { throttling.contains(code) || transient.contains(code) }

    /// The session has ended; new credentials may do.
    static let expired: Set = ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]

    /// The signature's time may be wrong; the answer's `Date` tells.
    static let skewed: Set = [
        "AuthFailure", "InvalidSignatureException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    ]

    /// Which port error a code is; others go by their status.
    static let ports: [String: PortError.Code] = [
        "AccessDenied": .unauthorized, "AccessDeniedException": .unauthorized, "AuthFailure": .unauthorized,
        "ExpiredToken": .unauthorized, "ExpiredTokenException": .unauthorized, "ForbiddenException": .unauthorized,
        "IncompleteSignature": .unauthorized, "InvalidAccessKeyId": .unauthorized,
        "InvalidClientTokenId": .unauthorized, "InvalidIdentityToken": .unauthorized,
        "InvalidSignatureException": .unauthorized, "KmsAccessDenied": .unauthorized,
        "MissingAuthenticationToken": .unauthorized, "MissingAuthenticationTokenException": .unauthorized,
        "OptInRequired": .unauthorized, "RequestExpired": .unauthorized, "RequestTimeTooSkewed": .unauthorized,
        "SignatureDoesNotMatch": .unauthorized, "UnauthorizedOperation": .unauthorized,
        "UnrecognizedClientException": .unauthorized, "InvalidToken": .unauthorized,

        "NoSuchBucket": .notFound, "NoSuchKey": .notFound, "NoSuchUpload": .notFound, "NotFound": .notFound,
        "QueueDoesNotExist": .notFound, "AWS.SimpleQueueService.NonExistentQueue": .notFound,
        "ResourceNotFoundException": .notFound, "TableNotFoundException": .notFound,

        "ConditionalCheckFailedException": .conditionFailed, "PreconditionFailed": .conditionFailed,
        "ConditionalRequestConflict": .conflict, "OperationAborted": .conflict, "ResourceInUseException": .conflict,
        "TransactionConflictException": .conflict, "ReplicatedWriteConflictException": .conflict,
    ]

    /// What somebody has to do, where the service does not say it.
    static let hints: [String: String] = [
        "AuthorizationHeaderMalformed": wrongRegion,
        "ExpiredToken": "the credentials have expired: get new ones",
        "ExpiredTokenException": "the credentials have expired: get new ones",
        "IllegalLocationConstraintException": wrongRegion,
        "InvalidAccessKeyId": unknownKey,
        "InvalidClientTokenId": unknownKey,
        "InvalidSignatureException": wrongSecret,
        "PermanentRedirect": wrongRegion,
        "RequestTimeTooSkewed": "set this machine's clock",
        "SignatureDoesNotMatch": wrongSecret,
        "UnrecognizedClientException": unknownKey,
    ]

    private static let wrongRegion = "check the region (AWS_REGION) and the endpoint"
    private static let unknownKey =
        "the access key is not known there: check the credentials, the region and the endpoint"
    private static let wrongSecret =
        "check that the secret belongs to the access key, the region, and this machine's clock"
}
