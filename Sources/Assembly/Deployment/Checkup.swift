// Looks a deployment over: what is sound, what isn't, and what to do about it.
import AWSDriver
package import Logging
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
    let settings: Settings
    let environment: [String: String]
    let logger: Logger

    package init(_ settings: Settings, environment: [String: String] = [:], logger: Logger) {
        self.settings = settings
        self.environment = environment
        self.logger = logger
    }

    /// A job in progress whose record has not moved for this long.
    private static let stillMax: Duration = .seconds(600)

    /// Looks at the backend, and at its live jobs unless the backend can't be trusted.
    ///
    /// - Parameter thoroughly: compares every index of an SQLite file with its table too.
    /// - Returns: what was found, sound or not.
    /// - Throws: `PortError` if the backend can't be opened, or a job's record can't be read.
    package func run(thoroughly: Bool) async throws -> [Finding] {
        var findings = settings.backend == .aws ? try await examineAWS() : []
        let deployment: Deployment
        do {
            deployment = try await Deployment.open(
                settings,
                environment: environment,
                makingIt: false,
                working: false,
                logger: logger
            )
        } catch {
            // What keeps it closed has been found already.
            guard findings.allSatisfy(\.isSound) else { return findings }
            throw error
        }
        do {
            findings += try await run(on: deployment, thoroughly: thoroughly)
        } catch {
            try await deployment.close()
            throw error
        }
        try await deployment.close()
        return findings
    }

    /// Looks at a deployment that is open.
    package func run(on deployment: Deployment, thoroughly: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        if let database = deployment.database {
            let diagnosis = try await database.diagnose(thoroughly: thoroughly)
            findings = DatabaseFindings(diagnosis, own: database.owners.own).all
            // What a damaged file says of jobs and queues is worth nothing.
            guard diagnosis.damage.isEmpty else { return findings }
        }
        let hasCompany = await deployment.hasOtherWorkers()
        let (jobs, problems) = try await deployment.jobs.listing()
        for problem in problems {
            findings.append(
                .wrong("job table", problem, fix: "set that attribute right in the table, or remove the record")
            )
        }
        for job in jobs {
            if let finding = try await stuck(job, deployment, hasCompany: hasCompany) { findings.append(finding) }
        }
        return findings
    }

    private func examineAWS() async throws(PortError) -> [Finding] {
        let aws = try AWSBackend(settings, environment: environment)
        let findings = await aws.examine(HouseTables.schemas, visibility: settings.engine.visibility)
        await aws.close()
        return findings.map { finding in
            finding.fix.map { .wrong(finding.check, finding.detail, fix: $0) } ?? .sound(finding.check, finding.detail)
        }
    }

    /// A live job that nobody moves on.
    private func stuck(_ job: Job, _ deployment: Deployment, hasCompany: Bool) async throws -> Finding? {
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
                fix: settings.backend == .aws
                    ? "run `sluice worker`, or look into the functions' logs if they do the work"
                    : "run `sluice worker`"
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
