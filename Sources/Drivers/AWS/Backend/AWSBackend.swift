// Opens what a deployment on AWS consists of, and hands out its ports.
package import HTTPDriver
package import SluiceCore

/// Where a deployment is on AWS.
package struct AWSPlace: Sendable {
    /// Instead of the environment's or the profile's.
    package var region: String?
    /// Instead of `AWS_PROFILE`.
    package var profile: String?
    /// Before the names of tables and queues, so that several deployments may share an account.
    package var prefix = "sluice-"
    /// The bucket of the objects, for this deployment alone; nil if none was named.
    package var bucket: String?

    package init() {}
}

/// Tables, queues, change feed and objects of one deployment.
///
/// Opening it asks AWS nothing. Close it at the end.
package final class AWSBackend: Sendable {
    package let region: String
    package let prefix: String
    package let tables: DynamoDBTables
    package let feed: DynamoDBFeed
    package let objects: S3ObjectStore
    let s3: S3
    let sqs: AWSClient
    let sts: STS
    let lambda: Lambda
    let secrets: Secrets
    private let eks: EKS
    let clock: any Timekeeping
    private let peer: HTTPPeer

    /// Reads the settings of AWS's tools, and opens no connection yet.
    ///
    /// - Parameters:
    ///   - place: where the deployment is.
    ///   - environment: variables and files.
    ///   - http: time-outs and connections.
    ///   - clock: the time of signatures, expiry and waits.
    ///   - random: jitter, and names that have to differ.
    /// - Throws: `invalidRequest` naming the setting that is missing or wrong.
    package init(
        _ place: AWSPlace,
        environment: AWSEnvironment,
        http: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) throws(PortError) {
        do {
            guard let bucket = place.bucket else {
                throw AWSProblem("no bucket is set: set aws.bucket (SLUICE_AWS_BUCKET) to one of this deployment's own")
            }
            let settings = try AWSSettings(environment, region: place.region, profile: place.profile)
            let region = try settings.region()
            let peer = try Self.peer(http)
            let chain = try CredentialChain.standard(settings, peer: peer, clock: clock, random: random)
            let credentials = RenewingCredentials(chain, clock: clock)
            func client(_ service: AWSService) throws(AWSProblem) -> AWSClient {
                AWSClient(
                    service,
                    region: region,
                    endpoint: try settings.endpoint(of: service),
                    credentials: credentials,
                    peer: peer,
                    clock: clock,
                    random: random
                )
            }
            self.region = region
            self.peer = peer
            self.clock = clock
            prefix = place.prefix
            s3 = try S3(try client(.s3), bucket: bucket)
            sqs = try client(.sqs)
            sts = STS(try client(.sts))
            lambda = Lambda(try client(.lambda))
            eks = EKS(try client(.eks))
            secrets = Secrets(secretsManager: try client(.secretsManager), systemsManager: try client(.ssm))
            let database = DynamoDB(try client(.dynamoDB))
            tables = DynamoDBTables(database, prefix: place.prefix, clock: clock, random: random)
            feed = DynamoDBFeed(
                database,
                DynamoDBStreams(try client(.dynamoDBStreams)),
                prefix: place.prefix
            )
            objects = S3ObjectStore(s3)
        } catch {
            throw PortError(.invalidRequest, "AWS: \(error)")
        }
    }

    private static func peer(_ options: HTTPOptions) throws(AWSProblem) -> HTTPPeer {
        do {
            return try HTTPPeer(options)
        } catch {
            throw AWSProblem(error.message)
        }
    }

    /// The queues of the house, which have to be there.
    ///
    /// - Throws: `notFound` naming the one that is not.
    package func queues() async throws(PortError) -> Queues {
        // One after the other over one connection: making more of them takes longer than waiting for the answers.
        func queue(_ name: String) async throws(PortError) -> any MessageQueue {
            do {
                return try await SQSQueue.open(name, prefix: prefix, sqs)
            } catch {
                guard error.code == .notFound else { throw error }
                let problem = "there is no queue \(prefix)\(name) in \(region)"
                throw PortError(.notFound, "\(problem); make it with `sluice tables create`, or check aws.prefix")
            }
        }
        return Queues(
            replay: try await queue("replay"),
            replayDeadLetters: try await queue("replay-dead-letters"),
            progress: try await queue("progress"),
            progressDeadLetters: try await queue("progress-dead-letters")
        )
    }

    /// A secret that AWS keeps; see `Secrets`.
    package func secret(_ reference: String) async throws(PortError) -> String {
        do {
            return try await secrets.text(reference)
        } catch {
            throw error.portError
        }
    }

    /// Where a cluster of EKS is.
    package func cluster(_ name: String) async throws(PortError) -> EKS.Cluster {
        do {
            return try await eks.describe(name)
        } catch {
            throw error.portError
        }
    }

    /// What the API of a cluster takes for a token.
    package func token(of cluster: String) async throws(PortError) -> EKSToken {
        do {
            return try await EKSToken(sts.client, cluster: cluster)
        } catch {
            throw error.portError
        }
    }

    /// Closes all connections.
    package func close() async {
        await peer.shutdown()
    }
}
