// Looks after live jobs: counters, ends, pauses, budgets; soon after a booking, and once a tick.
import Logging
import SluiceCore
import Synchronization

/// The finisher's loop in one process.
final class FinishService: Sendable {
    private let context: EngineContext
    private let finisher: Finisher
    private let stop: StopSignal
    private let bell = Bell()
    private let touched = Mutex<Set<JobKey>>([])
    /// When the jobs were looked at for the last time in which nothing is expected to happen.
    private let quietLookAt = Mutex<Timestamp?>(nil)

    init(_ context: EngineContext, finisher: Finisher, stop: StopSignal) {
        self.context = context
        self.finisher = finisher
        self.stop = stop
    }

    func booked(_ job: JobKey) {
        // The first booking since the last look rings; the others are seen by the same look.
        if touched.withLock({ $0.insert(job).inserted }) { bell.ring() }
    }

    func run() async throws {
        while !stop.isStopping {
            let some = touched.withLock { touched in
                defer { touched = [] }
                return touched
            }
            do {
                var keys = some
                let isQuietLook = isQuietLookDue()
                for job in try await JobStore(context).live() where isQuietLook || !Self.isQuiet(job) {
                    keys.insert(job.jobKey)
                }
                for key in keys { await check(key) }
            } catch {
                context.logger.warning("looking for live jobs failed; trying again", metadata: ["error": "\(error)"])
            }
            await stop.pause(Self.restAfterLook, context.clock)
            guard touched.withLock(\.isEmpty) else { continue }
            await bell.wait(atMost: context.settings.tick, clock: context.clock, stop: stop)
        }
        await clearAwayEnded()
    }

    /// Until somebody steers it or something of it is booked, such a job stays as it is, and each look at it costs reads.
    private static func isQuiet(_ job: Job) -> Bool {
        job.status == .paused || job.status == .completedWithFailures
    }

    private static let quietLookEvery: Duration = .seconds(60)

    private func isQuietLookDue() -> Bool {
        let now = context.now
        return quietLookAt.withLock { last in
            if let last, last <= now, last.duration(to: now) < Self.quietLookEvery { return false }
            last = now
            return true
        }
    }

    /// Before this process leaves: what jobs left behind that have come to their end meanwhile.
    private func clearAwayEnded() async {
        do {
            for job in try await JobStore(context).live() where job.status.isFinal { await check(job.jobKey) }
        } catch {
            context.logger.warning(
                "looking for ended jobs failed; the next worker does",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Between two looks, so that a stream of bookings is looked at a few times a second and not after each.
    private static let restAfterLook: Duration = .milliseconds(100)

    private func check(_ key: JobKey) async {
        do {
            try await finisher.check(key)
        } catch {
            context.logger(for: key.id).warning(
                "the job's end could not be settled yet",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
