// Claims a slice, keeps the claim alive and lets it go: the lease serves liveness, the epoch safety.
import SluiceCore

/// A slice in hand: under which epoch, and where to go on.
struct ClaimedSlice: Sendable {
    let job: Job
    let index: Int
    let epoch: Int
    var page: Int
    var continuation: Continuation?

    var key: ItemKey { SliceItem.key(job: job.id, index: index) }
}

/// The lease on slices.
struct SliceClaims: Sendable {
    let context: EngineContext

    /// Whether nobody else can be at work on the slice any more.
    func isFree(_ slice: SliceItem) async -> Bool {
        guard !slice.finished, !slice.closed else { return false }
        guard let owner = slice.owner, let until = slice.leaseUntil else { return true }
        if until <= context.now || owner == context.backend.owners.own { return true }
        return await context.backend.owners.isGone(owner)
    }

    /// Takes the slice under the next epoch, or nil if somebody else has it or there is nothing to extract.
    ///
    /// - Throws: `JobError.mismatch` if the checkpoint was written for other slices, another source or selection.
    func claim(_ job: Job, _ slice: SliceItem, match: String) async throws -> ClaimedSlice? {
        guard await isFree(slice) else { return nil }
        guard slice.match == match else {
            throw JobError.mismatch(
                "slice \(slice.index)'s checkpoint was written for \(slice.match) and the job is now \(match); start a new job"
            )
        }
        let changes = [
            SliceItem.epoch.set(slice.epoch + 1),
            SliceItem.owner.set(context.backend.owners.own),
            SliceItem.leaseUntil.set(context.now.advanced(by: context.settings.lease)),
        ]
        let unclaimed =
            SliceItem.epoch == slice.epoch && SliceItem.finished == false && SliceItem.closed == false
        guard try await context.slices.updated(slice.key, changes, if: unclaimed) else { return nil }
        // The page must be read after the claim: until then an older epoch could still commit.
        guard let claimed = try await context.slices.get(slice.key), claimed.epoch == slice.epoch + 1 else {
            return nil
        }
        guard let current = try await context.jobs.get(job.key), current.status == .inProgress else {
            try await letGo(job, slice.index, epoch: slice.epoch + 1)
            return nil
        }
        return ClaimedSlice(
            job: current,
            index: slice.index,
            epoch: claimed.epoch,
            page: claimed.page,
            continuation: claimed.continuation.map { Continuation($0) }
        )
    }

    /// Lengthens the lease; false once another epoch has the slice.
    func renew(_ job: Job, _ index: Int, epoch: Int) async throws(PortError) -> Bool {
        let until = SliceItem.leaseUntil.set(context.now.advanced(by: context.settings.lease))
        let mine = SliceItem.epoch == epoch && SliceItem.closed == false
        return try await context.slices.updated(SliceItem.key(job: job.id, index: index), [until], if: mine)
    }

    /// Ends the lease, so that a successor need not wait for it to run out.
    ///
    /// Changes nothing if the claim was lost.
    func letGo(_ job: Job, _ index: Int, epoch: Int) async throws(PortError) {
        let changes = [SliceItem.owner.remove, SliceItem.leaseUntil.remove]
        let key = SliceItem.key(job: job.id, index: index)
        _ = try await context.slices.updated(key, changes, if: SliceItem.epoch == epoch)
    }
}
