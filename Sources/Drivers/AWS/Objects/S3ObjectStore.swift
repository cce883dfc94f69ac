// An object store in a bucket of S3.
internal import HTTPDriver
package import SluiceCore

/// Objects under their keys as they are, in a bucket of their own.
///
/// Large objects travel in parts, several at a time; what fails or is cancelled on the way is removed again. What a crash
/// leaves of them, invisible, the bucket's lifecycle rule removes. The credentials need `s3:ListBucket` too: without it S3
/// answers of an absent object that access is denied.
package final class S3ObjectStore: ObjectStore {
    /// How objects are cut.
    package struct Options: Sendable {
        /// Objects of this size and more are stored in parts; S3 wants 5 MiB at least.
        package var partBytes = 8 << 20
        /// Parts on their way at the same moment; a writer keeps as many in memory.
        package var width = 4

        package init() {}
    }

    let s3: S3
    let options: Options
    private let random: any RandomSource

    /// A conflict passes as soon as the other writer is done.
    private static let conflictTriesMax = 5
    private static let deleteTriesMax = 3

    /// - Parameters:
    ///   - s3: the bucket.
    ///   - options: how objects are cut.
    package init(_ s3: S3, options: Options = Options()) {
        self.s3 = s3
        self.options = options
        random = s3.client.random
    }

    /// The rules that the bucket of a store wants: parts that a crash left go after a day, objects by their age.
    ///
    /// - Parameter expiries: after how many days objects go whose keys begin so.
    /// - Throws: S3's refusal.
    package func setLifecycle(_ expiries: [(name: String, prefix: String, days: Int)] = []) async throws(PortError) {
        let parts = S3.LifecycleRule("abandoned-parts", abandonedPartsDays: 1)
        let rules = expiries.map { S3.LifecycleRule($0.name, prefix: $0.prefix, expiryDays: $0.days) }
        try await port { () throws(AWSError) in try await s3.setLifecycle([parts] + rules) }
    }

    /// Whether parts that a crash left are removed some day.
    package func removesAbandonedParts() async throws(PortError) -> Bool {
        try await port { () throws(AWSError) in try await s3.removesAbandonedParts() }
    }

    package func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try ObjectKey.check(key)
        for tries in 1... {
            do throws(AWSError) {
                return try await putOnce(bytes, key, onlyIfAbsent)
            } catch {
                guard error.code == "ConditionalRequestConflict", tries < Self.conflictTriesMax else {
                    throw error.portError
                }
            }
            try await pause(tries)
        }
    }

    private func putOnce(_ bytes: [UInt8], _ key: String, _ onlyIfAbsent: Bool) async throws(AWSError) {
        let mark = newMark()
        guard bytes.count >= options.partBytes else {
            try await s3.put(HTTPBody(bytes), at: key, onlyIfAbsent: onlyIfAbsent, mark: mark)
            return
        }
        // Nobody wants to send gigabytes to learn that the key is taken.
        if onlyIfAbsent, try await s3.head(key) != nil { throw taken(key) }
        var upload = PartsUpload(s3, key: key, mark: mark, options: options)
        try await upload.append(bytes, isLast: true)
        try await upload.finish(onlyIfAbsent: onlyIfAbsent)
    }

    private func taken(_ key: String) -> AWSError {
        var error = AWSError(
            .refused,
            service: s3.client.service.name,
            operation: "HeadObject",
            message: "the key \"\(key)\" is taken"
        )
        error.code = "PreconditionFailed"
        error.status = 412
        return error
    }

    package func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        try ObjectKey.check(key)
        guard (range?.lowerBound ?? 0) >= 0 else {
            throw PortError(.invalidRequest, "a range of \(key) begins before its first byte")
        }
        if range?.isEmpty ?? false {
            guard try await size(of: key) != nil else {
                throw PortError(.notFound, "there is no object \(key) in the bucket \(s3.bucket)")
            }
            return []
        }
        return try await port { () throws(AWSError) in try await s3.get(key, range: range) ?? [] }
    }

    package func size(of key: String) async throws(PortError) -> Int? {
        try ObjectKey.check(key)
        return try await port { () throws(AWSError) in try await s3.head(key)?.bytes }
    }

    package func write(_ key: String) async throws(PortError) -> any ObjectWriter {
        try ObjectKey.check(key)
        return S3ObjectWriter(PartsUpload(s3, key: key, mark: newMark(), options: options))
    }

    package func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        var objects: [ObjectSummary] = []
        var next: String?
        while objects.count < limit {
            let left = limit - objects.count
            let from = next
            let page = try await port { () throws(AWSError) in
                try await s3.list(prefix: prefix, after: after, next: from, limit: left)
            }
            objects += page.objects
            next = page.next
            if next == nil { break }
        }
        return objects
    }

    package func delete(_ keys: [String]) async throws(PortError) {
        for key in keys { try ObjectKey.check(key) }
        var batches: [[String]] = []
        var singles: [String] = []
        for key in keys {
            // XML has no words for some letters that a key may have.
            if key.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) {
                singles.append(key)
            } else if let last = batches.last, last.count < S3.keysMax {
                batches[batches.count - 1].append(key)
            } else {
                batches.append([key])
            }
        }
        if keys.count == 1, singles.isEmpty { (singles, batches) = (keys, []) }
        for key in singles { try await port { () throws(AWSError) in try await s3.delete(key) } }
        for batch in batches { try await deleteBatch(batch) }
    }

    private func deleteBatch(_ keys: [String]) async throws(PortError) {
        var left = keys
        for tries in 1... {
            let asked = left
            let failures = try await port { () throws(AWSError) in try await s3.delete(asked) }
            guard let first = failures.first else { return }
            let final = failures.first { !AWSErrorCodes.mayPass($0.code) }
            guard final == nil, tries < Self.deleteTriesMax else {
                let failure = final ?? first
                let code = AWSErrorCodes.ports[failure.code] ?? .unavailable
                let count = failures.count == 1 ? "" : ", and \(failures.count - 1) more keys"
                let problem = "\(failure.key) was not deleted\(count): \(failure.code): \(failure.message)"
                throw PortError(code, problem)
            }
            left = failures.map(\.key)
            try await pause(tries)
        }
    }

    private func pause(_ tries: Int) async throws(PortError) {
        let client = s3.client
        do {
            let wait = client.policy.wait(after: tries, asked: nil, random: random)
            try await client.clock.sleep(until: client.clock.now.advanced(by: wait), tolerance: nil)
        } catch {
            throw PortError(.cancelled, "cancelled between two tries")
        }
    }

    private func newMark() -> String { String(random.next(), radix: 16) + String(random.next(), radix: 16) }

    private func port<Value>(_ call: () async throws(AWSError) -> Value) async throws(PortError) -> Value {
        do throws(AWSError) {
            return try await call()
        } catch {
            throw error.portError
        }
    }
}
