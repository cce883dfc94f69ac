// A service of AWS by its names.

/// How a service is called where.
package struct AWSService: Sendable, Hashable {
    /// As in documents, and in `AWS_ENDPOINT_URL_…` in upper case.
    package let name: String
    /// In host names, in signatures and in the `services` sections of profiles.
    package let id: String

    package static let dynamoDB = AWSService(name: "DynamoDB", id: "dynamodb")
    package static let eks = AWSService(name: "EKS", id: "eks")
    package static let lambda = AWSService(name: "Lambda", id: "lambda")
    package static let s3 = AWSService(name: "S3", id: "s3")
    package static let sqs = AWSService(name: "SQS", id: "sqs")
    package static let sts = AWSService(name: "STS", id: "sts")

    var endpointVariable: String { "AWS_ENDPOINT_URL_\(name.uppercased())" }
}
