// Where credentials come from, one place after the other.

/// One place that credentials may come from.
package protocol CredentialProvider: Sendable {
    /// What a person calls the place.
    var name: String { get }

    /// The credentials that the place has now.
    ///
    /// - Returns: nil if the place is not set up here, so that the next one may be asked.
    /// - Throws: what is wrong with a place that is set up: it is never passed over.
    func credentials() async throws(AWSProblem) -> AWSCredentials?
}

/// Keys that were given by hand.
package struct FixedCredentials: CredentialProvider {
    package let name = "given credentials"
    private let fixed: AWSCredentials

    package init(_ credentials: AWSCredentials) {
        fixed = credentials
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? { fixed }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for a session, `AWS_SESSION_TOKEN`.
package struct EnvironmentCredentials: CredentialProvider {
    package let name = "environment"
    private let environment: AWSEnvironment

    package init(_ environment: AWSEnvironment) {
        self.environment = environment
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        let key = environment.variable("AWS_ACCESS_KEY_ID")
        let secret = environment.variable("AWS_SECRET_ACCESS_KEY")
        switch (key, secret) {
        case (nil, nil): return nil
        case (let key?, let secret?):
            let token = environment.variable("AWS_SESSION_TOKEN")
            return try AWSCredentials(accessKeyID: key, secretAccessKey: secret, sessionToken: token)
        case (_, nil): throw AWSProblem("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
        case (nil, _): throw AWSProblem("AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not")
        }
    }
}

/// Several places, asked in order; the first that is set up counts, in good and ill.
package struct CredentialChain: CredentialProvider {
    package let name: String
    private let places: [any CredentialProvider]

    package init(_ places: [any CredentialProvider]) {
        self.places = places
        name = places.map(\.name).joined(separator: ", ")
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        for place in places {
            do {
                if let found = try await place.credentials() { return found }
            } catch {
                throw AWSProblem(
                    "\(place.name): \(error)",
                    isTransient: error.isTransient,
                    isCancelled: error.isCancelled
                )
            }
        }
        return nil
    }
}
