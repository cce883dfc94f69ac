// The keys of the backend on AWS; what AWS's own tools read, such as AWS_PROFILE, holds here too.
import AWSDriver

extension SettingKey {
    static let aws = [
        text(
            "aws.region",
            \.aws,
            \.region,
            "a region's name",
            "The region; without it AWS's own variables and files say."
        ),
        text(
            "aws.profile",
            \.aws,
            \.profile,
            "a profile's name",
            "The profile of ~/.aws/config; without it AWS's own variables say."
        ),
        SettingKey(
            "aws.prefix",
            type: "text",
            range: "up to 40 letters, digits, - and _",
            "Before the names of tables and queues, so that several deployments may share an account.",
            text: { $0.aws.prefix },
            store: { text, settings in
                let isName = text.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || byte == 0x2D || byte == 0x5F
                }
                guard isName, text.utf8.count <= 40 else { return nil }
                settings.aws.prefix = text
                return ()
            }
        ),
        text(
            "aws.bucket",
            \.aws,
            \.bucket,
            "a bucket's name",
            "The S3 bucket of the records under way, for this deployment alone."
        ),
    ]
}
