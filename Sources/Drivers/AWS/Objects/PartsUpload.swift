// An object on its way in parts.
internal import HTTPDriver
internal import SluiceCore

/// What one upload has sent so far; a value for one task at a time.
///
/// Nothing is begun at S3 before the bytes fill all parts that may be under way; less than that is one put at the end.
/// After an error it has given itself up, and is not to be used again.
struct PartsUpload: Sendable {
    let key: String
    private let s3: S3
    private let mark: String
    private let options: S3ObjectStore.Options
    private var buffer: [UInt8] = []
    private var upload: String?
    private var tags: [String] = []

    static let partsMax = 10_000
    /// After so many parts they grow to twice the size, so that there are enough of them for terabytes.
    private static let partsOfASize = 2000

    init(_ s3: S3, key: String, mark: String, options: S3ObjectStore.Options) {
        self.s3 = s3
        self.key = key
        self.mark = mark
        self.options = options
    }

    private func partBytes(_ index: Int) -> Int { options.partBytes << (index / Self.partsOfASize) }

    /// Keeps the bytes, and sends parts if there are enough of them, or if `finish` follows.
    mutating func append(_ bytes: [UInt8], isLast: Bool = false) async throws(AWSError) {
        if buffer.isEmpty { buffer = bytes } else { buffer += bytes }
        let enough = isLast ? 1 : options.width
        guard buffer.count >= partBytes(tags.count) * enough else { return }
        var ranges: [Range<Int>] = []
        var from = 0
        while from + partBytes(tags.count + ranges.count) <= buffer.count {
            ranges.append(from..<from + partBytes(tags.count + ranges.count))
            from = ranges.last?.upperBound ?? 0
        }
        try await send(ranges)
        buffer.removeSubrange(..<from)
    }

    mutating func finish(onlyIfAbsent: Bool = false) async throws(AWSError) {
        guard upload != nil else {
            try await s3.put(HTTPBody(buffer), at: key, onlyIfAbsent: onlyIfAbsent, mark: mark)
            return
        }
        if !buffer.isEmpty { try await send([buffer.indices]) }
        guard let upload else { return }
        do {
            try await s3.finishUpload(upload, of: key, tags: tags, onlyIfAbsent: onlyIfAbsent, mark: mark)
        } catch {
            // Whatever became of it, an upload that was finished is not there to be given up.
            await abandon()
            throw error
        }
    }

    /// Removes what was sent, even if the task is cancelled; if that fails, the bucket's rule does it in time.
    mutating func abandon() async {
        guard let upload else { return }
        self.upload = nil
        buffer = []
        let (s3, key) = (s3, key)
        // The clean-up of a cancelled task must not be cancelled itself; it is waited for all the same.
        await Task { try? await s3.abortUpload(upload, of: key) }.value
    }

    private mutating func send(_ ranges: [Range<Int>]) async throws(AWSError) {
        guard tags.count + ranges.count <= Self.partsMax else {
            await abandon()
            throw AWSError(
                .invalidCall,
                service: s3.client.service.name,
                operation: "UploadPart",
                message: "\(key) has more than \(Self.partsMax) parts; write several objects instead"
            )
        }
        let upload: String
        if let begun = self.upload {
            upload = begun
        } else {
            upload = try await s3.beginUpload(of: key, mark: mark)
            self.upload = upload
        }
        do {
            tags += try await sendParts(ranges, upload)
        } catch {
            await abandon()
            throw error
        }
    }

    private func sendParts(_ ranges: [Range<Int>], _ upload: String) async throws(AWSError) -> [String] {
        let first = tags.count + 1
        let (s3, key, buffer) = (s3, key, buffer)
        let send: @Sendable (Int) async -> Result<(Int, String), AWSError> = { index in
            var body = HTTPBody(capacity: ranges[index].count)
            buffer.withUnsafeBytes { body.append(UnsafeRawBufferPointer(rebasing: $0[ranges[index]])) }
            do throws(AWSError) {
                return .success((index, try await s3.putPart(first + index, body, of: upload, key)))
            } catch {
                return .failure(error)
            }
        }
        let width = options.width
        let outcome = await withTaskGroup(of: Result<(Int, String), AWSError>.self) { group in
            var sent = [String](repeating: "", count: ranges.count)
            var rest = ranges.indices
            var failure: AWSError?
            for index in rest.prefix(width) { group.addTask { await send(index) } }
            rest = rest.dropFirst(width)
            for await outcome in group {
                switch outcome {
                case .success((let index, let tag)): sent[index] = tag
                case .failure(let error):
                    if failure == nil { failure = error }
                    group.cancelAll()
                }
                if failure == nil, let index = rest.popFirst() { group.addTask { await send(index) } }
            }
            return failure.map { .failure($0) } ?? Result<[String], AWSError>.success(sent)
        }
        return try outcome.get()
    }
}
