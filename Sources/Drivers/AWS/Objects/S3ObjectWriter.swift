// An object of S3 that is written as its bytes come.
package import SluiceCore
internal import Synchronization

/// Keeps bytes until they fill parts, then sends several at a time.
///
/// Dropped without `finish`, it leaves no object; parts that it had sent go with the bucket's lifecycle rule.
package final class S3ObjectWriter: ObjectWriter {
    private let key: String
    /// nil once it is finished, abandoned or broken, and while it is at work.
    private let upload: Mutex<PartsUpload?>

    init(_ upload: PartsUpload) {
        key = upload.key
        self.upload = Mutex(upload)
    }

    package func append(_ bytes: [UInt8]) async throws(PortError) {
        var upload = try take()
        do throws(AWSError) {
            try await upload.append(bytes)
        } catch {
            throw error.portError
        }
        let sent = upload
        self.upload.withLock { $0 = sent }
    }

    package func finish() async throws(PortError) {
        var upload = try take()
        do throws(AWSError) {
            try await upload.finish()
        } catch {
            throw error.portError
        }
    }

    package func abandon() async {
        guard var upload = self.upload.withLock({ $0.take() }) else { return }
        await upload.abandon()
    }

    private func take() throws(PortError) -> PartsUpload {
        guard let upload = upload.withLock({ $0.take() }) else {
            throw PortError(.invalidRequest, "the writer of \"\(key)\" has finished, been abandoned, or failed before")
        }
        return upload
    }
}
