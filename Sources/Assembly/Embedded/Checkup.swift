// Looks a deployment over: what is sound, what isn't, and what to do about it.
import SQLiteDriver
import SluiceCore
import SluiceEngine

/// One thing that was looked at.
package struct Finding: Sendable, Hashable {
    package let check: String
    package let isSound: Bool
    package let detail: String
    /// What to do; empty if it is sound.
    package let fix: String

    package static func sound(_ check: String, _ detail: String) -> Finding {
        Finding(check: check, isSound: true, detail: detail, fix: "")
    }

    package static func wrong(_ check: String, _ detail: String, fix: String) -> Finding {
        Finding(check: check, isSound: false, detail: detail, fix: fix)
    }
}

/// The checks of `sluice doctor`; they change nothing.
package struct Checkup: Sendable {
    private let deployment: Deployment

    package init(_ deployment: Deployment) {
        self.deployment = deployment
    }

    /// Less room than this, and the next large page may not fit.
    private static let freeBytesMin = 256 << 20
    /// A job in progress whose record has not moved for this long.
    private static let stillMax: Duration = .seconds(600)

    package func run(thoroughly: Bool) async throws -> [Finding] {
        let diagnosis = try await deployment.database.diagnose(thoroughly: thoroughly)
        var findings = [integrity(diagnosis), durability(diagnosis), room(diagnosis), owners(diagnosis)]
        // What a damaged file says of jobs and queues is worth nothing.
        guard diagnosis.damage.isEmpty else { return findings }
        findings += queues(diagnosis)
        let hasCompany = deployment.database.owners.hasOtherWorkers()
        for job in try await deployment.jobs.list() {
            if let finding = try await stuck(job, hasCompany: hasCompany) { findings.append(finding) }
        }
        return findings
    }

    private func integrity(_ diagnosis: DatabaseDiagnosis) -> Finding {
        guard let first = diagnosis.damage.first else {
            let items = diagnosis.items.values.reduce(0, +)
            return .sound(
                "database",
                "\(diagnosis.path) is sound: \(items) items, \(diagnosis.databaseBytes) bytes, schema \(diagnosis.schemaVersion), "
                    + "SQLite \(diagnosis.sqliteVersion)"
            )
        }
        return .wrong(
            "database",
            "\(diagnosis.path) is damaged: \(first)",
            fix: "restore it from a copy, or save what is left with `sqlite3 \(diagnosis.path) .recover`"
        )
    }

    private func durability(_ diagnosis: DatabaseDiagnosis) -> Finding {
        let detail = "journal \(diagnosis.journalMode), synchronous \(diagnosis.synchronous == 2 ? "full" : "normal")"
        guard diagnosis.journalMode == "wal", diagnosis.synchronous >= 1 else {
            return .wrong("durability", detail, fix: "keep the database on a local file system that can share memory")
        }
        return .sound("durability", detail)
    }

    private func room(_ diagnosis: DatabaseDiagnosis) -> Finding {
        guard let free = diagnosis.freeBytes else { return .sound("free space", "not told by the system") }
        guard free >= Self.freeBytesMin else {
            return .wrong(
                "free space",
                "\(free) bytes",
                fix: "free some: at least \(Self.freeBytesMin) bytes should be left"
            )
        }
        return .sound("free space", "\(free) bytes")
    }

    private func owners(_ diagnosis: DatabaseDiagnosis) -> Finding {
        let others = diagnosis.liveOwners.filter { $0 != deployment.database.owners.own.text }
        return .sound("processes", others.isEmpty ? "no other has the database open" : others.joined(separator: ", "))
    }

    private func queues(_ diagnosis: DatabaseDiagnosis) -> [Finding] {
        diagnosis.queues.sorted { $0.key < $1.key }.map { name, depth in
            let detail = "\(depth.visible) visible, \(depth.invisible) invisible, \(depth.delayed) delayed"
            guard name.hasSuffix("dead-letters"), depth.visible > 0 else { return .sound("queue \(name)", detail) }
            return .wrong(
                "queue \(name)",
                detail,
                fix: "run `sluice worker`: it books what nobody could handle; what it can't read it names in its log"
            )
        }
    }

    /// A live job that nobody moves on.
    private func stuck(_ job: Job, hasCompany: Bool) async throws -> Finding? {
        guard !job.status.isFinal, job.status != .paused else { return nil }
        let slices = try await deployment.jobs.slices(of: job.id)
        var deadLeases = 0
        for slice in slices where !slice.finished && !slice.closed {
            guard let owner = slice.owner else { continue }
            let isOver = slice.leaseUntil.map { $0 <= deployment.context.clock.now } ?? true
            let isGone = await deployment.context.backend.owners.isGone(owner)
            if isOver || isGone { deadLeases += 1 }
        }
        let leases = deadLeases == 0 ? "" : "; \(deadLeases) slices are claimed by processes that are gone"
        let still = job.updatedAt.duration(to: deployment.context.clock.now)
        if !hasCompany {
            return .wrong(
                "job \(job.id)",
                "\(job.status), and no worker is running\(leases)",
                fix: "run `sluice worker`"
            )
        }
        guard still < Self.stillMax else {
            return .wrong(
                "job \(job.id)",
                "\(job.status), and unchanged for \(still.milliseconds / 1000) seconds\(leases)",
                fix:
                    "look at the worker's log and at `sluice queue depth`; a new `sluice worker` takes over what is free"
            )
        }
        return .sound("job \(job.id)", "\(job.status)\(leases)")
    }
}
