// The loops of a worker process, each of which ends at a checkpoint when it is told to stop.
import SluiceCore

extension StopSignal {
    /// Waits, but no longer than until a stop is asked for.
    func pause(_ duration: Duration, _ clock: any Timekeeping) async {
        await withTaskGroup { group in
            group.addTask { await self.wait() }
            group.addTask {
                // Cancelled when the stop comes first; either way the wait is over.
                do { try await clock.sleep(for: duration) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}
