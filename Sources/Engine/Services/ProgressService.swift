// Receives progress events and books them, slice by slice.
import Logging
import SluiceCore

/// The progress worker of one process.
struct ProgressService: Sendable {
    let context: EngineContext
    let booker: Booker
    let janitor: PayloadJanitor
    let stop: StopSignal
    /// Told of every job whose books have moved, and how many records have landed.
    let booked: @Sendable (JobKey, Int) -> Void

    func run() async throws {
        let context = context
        while !stop.isStopping {
            do {
                let messages = try await stop.race {
                    try await context.backend.queues.progress.receive(
                        limit: 100,
                        invisible: context.settings.visibility,
                        wait: context.settings.longPoll
                    )
                }
                if let messages, !messages.isEmpty { try await book(messages) }
            } catch {
                // Nothing was deleted that is not booked: the events come again.
                context.logger.warning("booking failed; the events come again", metadata: ["error": "\(error)"])
                await stop.pause(context.settings.tick, context.clock)
            }
        }
    }

    /// Books a batch of messages and deletes those that are in the books.
    func book(_ messages: [ReceivedMessage]) async throws {
        var groups: [Group: [(ProgressEvent, ReceivedMessage)]] = [:]
        for message in messages {
            do {
                let event = try ProgressEvent(body: message.body)
                let chunk = try event.parsed.chunk
                groups[Group(job: event.jobKey, slice: chunk.slice), default: []].append((event, message))
            } catch {
                // Left to the queue's redrive: it ends in the dead-letter queue, where somebody can look at it.
                context.logger.error("a progress event can't be read", metadata: ["error": "\(error)"])
            }
        }
        var failure: (any Error)?
        for (group, members) in groups {
            do {
                let result = try await booker.book(members.map(\.0), job: group.job.id, slice: group.slice)
                try await context.backend.queues.progress.delete(members.map(\.1.receipt))
                booked(group.job, result.landed)
                try await janitor.settled(result.settled)
            } catch {
                // A neighbour's failure must not keep the others from being booked.
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private struct Group: Hashable {
        let job: JobKey
        let slice: Int
    }
}
