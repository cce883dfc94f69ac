// Lets one process at a time put a job's output together.
import SluiceCore

/// The lease on a job's end.
///
/// It keeps two living processes from writing the output, or clearing away, beside each other. What the output holds
/// does not rest on it: whoever moves the job on wins, and who comes too late clears away after themselves.
struct FinishClaim: Sendable {
    let context: EngineContext
    let job: Job

    /// Takes the job's end, or false if another process has it or the job has moved on.
    func take() async throws(PortError) -> Bool {
        guard await isFree else { return false }
        let untaken = job.finisher.map { Job.finisher == $0 } ?? Job.finisher.isAbsent
        let unmoved = job.finisherUntil.map { Job.finisherUntil == $0 } ?? Job.finisherUntil.isAbsent
        return try await write(if: untaken && unmoved)
    }

    /// Lengthens the lease; false once another process has the job's end.
    func renew() async throws(PortError) -> Bool {
        try await write(if: Job.finisher == context.backend.owners.own)
    }

    /// What gives the end free again; goes with the move that ends the job.
    static let release = [Job.finisher.remove, Job.finisherUntil.remove]

    private var isFree: Bool {
        get async {
            guard let finisher = job.finisher, let until = job.finisherUntil else { return true }
            // One process looks at a job from one place: what it had claimed itself, it has given up.
            if finisher == context.backend.owners.own || until <= context.now { return true }
            return await context.backend.owners.isGone(finisher)
        }
    }

    private func write(if condition: Condition) async throws(PortError) -> Bool {
        let changes = [
            Job.finisher.set(context.backend.owners.own),
            Job.finisherUntil.set(context.now.advanced(by: context.settings.lease)),
        ]
        return try await context.jobs.updated(job.key, changes, if: Job.status == job.status && condition)
    }
}
