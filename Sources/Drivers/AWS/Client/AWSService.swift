// A service of AWS by its names.

/// How a service is called where.
package struct AWSService: Sendable, Hashable {
    /// As in documents, and in `AWS_ENDPOINT_URL_…` in upper case.
    package let name: String
    /// In signatures; in host names and settings, too, unless they have their own.
    package let id: String
    /// In host names, if it is not the id.
    private var ownHost: String?
    /// In the `services` sections of profiles and in variables, if it is not the id.
    private var ownSection: String?

    init(name: String, id: String, host: String? = nil, section: String? = nil) {
        self.name = name
        self.id = id
        ownHost = host
        ownSection = section
    }

    package static let dynamoDB = AWSService(name: "DynamoDB", id: "dynamodb")
    package static let dynamoDBStreams = AWSService(
        name: "DynamoDB Streams",
        id: "dynamodb",
        host: "streams.dynamodb",
        section: "dynamodb_streams"
    )
    package static let eks = AWSService(name: "EKS", id: "eks")
    package static let lambda = AWSService(name: "Lambda", id: "lambda")
    package static let s3 = AWSService(name: "S3", id: "s3")
    package static let secretsManager = AWSService(
        name: "Secrets Manager",
        id: "secretsmanager",
        section: "secrets_manager"
    )
    package static let sqs = AWSService(name: "SQS", id: "sqs")
    package static let ssm = AWSService(name: "Systems Manager", id: "ssm")
    package static let sts = AWSService(name: "STS", id: "sts")

    var host: String { ownHost ?? id }
    var section: String { ownSection ?? id }
    var endpointVariable: String { "AWS_ENDPOINT_URL_\(section.uppercased())" }
}
