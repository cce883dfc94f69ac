// URLs that are their own permission.
package import HTTPDriver

extension AWSClient {
    /// Presigns many objects' URLs, all for this moment; for S3 alone.
    ///
    /// - Parameters:
    ///   - method: what the URLs permit.
    ///   - hostPrefix: before the endpoint's host: empty, or `bucket.`.
    ///   - bucketPath: escaped: empty, or `/bucket`.
    ///   - query: what each URL asks for besides, not escaped.
    ///   - expiry: 1 second to 7 days.
    /// - Returns: a presigner for one task at a time.
    /// - Throws: why there are no credentials.
    package func presigner(
        _ method: HTTPCall.Method = .get,
        hostPrefix: String = "",
        bucketPath: String = "",
        query: [(name: String, value: String)] = [],
        expiry: Duration
    ) async throws(AWSError) -> Presigner {
        let credentials = try await currentCredentials(AWSCall("Presign"))
        return Presigner(
            signer,
            method.rawValue,
            scheme: endpoint.scheme,
            host: hostPrefix + endpoint.authority,
            basePath: endpoint.basePath + bucketPath,
            query: query,
            expiry: expiry,
            credentials: credentials,
            at: now
        )
    }

    /// A URL that permits the call until its expiry, or until the credentials end.
    package func presign(_ call: AWSCall, expiry: Duration) async throws(AWSError) -> String {
        let credentials = try await currentCredentials(call)
        let place = signer.presign(
            signable(call),
            expiry: expiry,
            credentials: credentials,
            at: now
        )
        return "\(endpoint.scheme)://\(call.hostPrefix)\(endpoint.authority)\(place)"
    }
}
