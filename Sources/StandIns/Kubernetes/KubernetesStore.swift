// The Jobs of the stand-in, and all that happened to them.
import SluiceCore

/// What the stand-in keeps.
struct KubernetesStore {
    struct Event: Sendable {
        let type: String
        let version: Int
        let object: JSONValue

        var line: JSONValue { ["type": .string(type), "object": object] }
    }

    struct Key: Hashable, Comparable {
        let namespace: String
        let name: String

        static func < (left: Key, right: Key) -> Bool { left.name < right.name }
    }

    private struct Snapshot {
        let version: Int
        let jobs: [JSONValue]
    }

    private(set) var jobs: [Key: JSONValue] = [:]
    /// Raised by every change; objects are at the version of their last one.
    private(set) var version = 100
    /// Events of which the first are forgotten; the `forgotten`-th since the beginning is the first that is kept.
    private var history: [Event] = []
    private var forgotten = 0
    /// Nothing up to this version can be told any more.
    private var oldest = 100
    private var snapshots: [Snapshot] = []
    private var bells: [Int: AsyncStream<Void>.Continuation] = [:]
    private var nextBell = 0
    private var nextUID = 0

    private static let historyMax = 10_000
    private static let snapshotsMax = 16

    /// Adds a Job as it was sent, with what the API adds to it.
    mutating func create(_ object: JSONObject, at key: Key, now: Timestamp) throws(KubernetesStatus) -> JSONValue {
        guard jobs[key] == nil else {
            throw KubernetesStatus(409, "AlreadyExists", #"jobs.batch "\#(key.name)" already exists"#)
        }
        nextUID += 1
        var job = object
        var metadata = object["metadata"]?.objectValue ?? [:]
        metadata["namespace"] = .string(key.namespace)
        metadata["uid"] = .string("uid-\(nextUID)")
        metadata["generation"] = 1
        metadata["creationTimestamp"] = .string(Self.time(now))
        job["metadata"] = .object(metadata)
        job["status"] = job["status"] ?? [:]
        return put(job, at: key, "ADDED")
    }

    /// Changes a Job's status; nothing if it is another one by now.
    mutating func update(_ key: Key, uid: String, _ change: (inout JSONObject) -> Void) {
        guard var job = jobs[key]?.objectValue, job["metadata"]?["uid"]?.stringValue == uid else { return }
        var status = job["status"]?.objectValue ?? [:]
        change(&status)
        job["status"] = .object(status)
        _ = put(job, at: key, "MODIFIED")
    }

    /// Removes a Job; with a uid only that one.
    mutating func remove(_ key: Key, uid: String? = nil) -> JSONValue? {
        guard let job = jobs[key]?.objectValue, uid == nil || job["metadata"]?["uid"]?.stringValue == uid else {
            return nil
        }
        let last = put(job, at: key, "DELETED")
        jobs[key] = nil
        return last
    }

    /// An event for all who watch that says how far they have been told.
    mutating func bookmark() {
        let metadata: JSONValue = ["resourceVersion": .string("\(version)"), "creationTimestamp": nil]
        tell("BOOKMARK", ["kind": "Job", "apiVersion": "batch/v1", "metadata": metadata])
    }

    /// Forgets what happened until now: who wants to go on from there is told 410.
    mutating func compact() {
        oldest = version
        forgotten += history.count
        history = []
        snapshots = []
    }

    func job(_ key: Key) throws(KubernetesStatus) -> JSONValue {
        guard let job = jobs[key] else { throw .absent(key.name) }
        return job
    }

    private mutating func put(_ object: JSONObject, at key: Key, _ type: String) -> JSONValue {
        version += 1
        var job = object
        var metadata = object["metadata"]?.objectValue ?? [:]
        metadata["resourceVersion"] = .string("\(version)")
        job["metadata"] = .object(metadata)
        jobs[key] = .object(job)
        tell(type, .object(job))
        return .object(job)
    }

    private mutating func tell(_ type: String, _ object: JSONValue) {
        history.append(Event(type: type, version: version, object: object))
        if history.count > Self.historyMax {
            let count = history.count / 2
            oldest = history[count - 1].version
            forgotten += count
            history.removeFirst(count)
        }
        ring()
    }

    /// Wakes all who watch or wait.
    func ring() {
        for bell in bells.values { bell.yield() }
    }

    /// As the API writes times: to the second.
    static func time(_ moment: Timestamp) -> String {
        "\(moment)".split(separator: ".")[0] + "Z"
    }
}

/// Lists, page by page at one version.
extension KubernetesStore {
    mutating func list(
        _ namespace: String,
        _ selector: KubernetesSelector,
        limit: Int?,
        from token: String?
    ) throws(KubernetesStatus) -> JSONValue {
        let snapshot: Snapshot
        var start = 0
        if let token, !token.isEmpty {
            let parts = token.split(separator: ".").compactMap { Int($0) }
            guard parts.count == 2, let kept = snapshots.first(where: { $0.version == parts[0] }) else {
                throw KubernetesStatus(410, "Expired", "The provided continue parameter is too old")
            }
            (snapshot, start) = (kept, parts[1])
        } else {
            let chosen = jobs.filter { $0.key.namespace == namespace && selector.chooses(Self.labels(of: $0.value)) }
            snapshot = Snapshot(version: version, jobs: chosen.sorted { $0.key < $1.key }.map(\.value))
        }
        let rest = snapshot.jobs.dropFirst(start)
        let page = rest.prefix(limit.map { $0 > 0 ? $0 : rest.count } ?? rest.count)
        var metadata: JSONObject = ["resourceVersion": .string("\(snapshot.version)")]
        if page.count < rest.count {
            metadata["continue"] = .string("\(snapshot.version).\(start + page.count)")
            metadata["remainingItemCount"] = .number(JSONNumber(rest.count - page.count))
            snapshots.removeAll { $0.version == snapshot.version }
            snapshots = snapshots.suffix(Self.snapshotsMax - 1) + [snapshot]
        }
        return [
            "kind": "JobList", "apiVersion": "batch/v1", "metadata": .object(metadata), "items": .array(Array(page)),
        ]
    }

    static func labels(of job: JSONValue) -> (String) -> String? {
        let labels = job["metadata"]?["labels"]
        return { labels?[$0]?.stringValue }
    }
}

/// What watches read.
extension KubernetesStore {
    /// The place of the first event behind a version.
    func place(after version: Int) throws(KubernetesStatus) -> Int {
        guard version >= oldest else {
            throw KubernetesStatus(410, "Expired", "too old resource version: \(version) (\(oldest))")
        }
        return forgotten + (history.firstIndex { $0.version > version } ?? history.count)
    }

    /// Events from a place on; nil if they are forgotten.
    func events(from place: Int) -> ArraySlice<Event>? {
        place < forgotten ? nil : history.dropFirst(place - forgotten)
    }

    /// The end of the history.
    var end: Int { forgotten + history.count }

    /// Rings once at first, and then whenever something has happened; that somebody listens is such a thing.
    mutating func addBell() -> (id: Int, rings: AsyncStream<Void>) {
        ring()
        let (rings, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        bell.yield()
        nextBell += 1
        bells[nextBell] = bell
        return (nextBell, rings)
    }

    /// Ends the rings of a bell.
    mutating func removeBell(_ id: Int) {
        bells.removeValue(forKey: id)?.finish()
    }

    /// How many watch or wait.
    var bellCount: Int { bells.count }
}
