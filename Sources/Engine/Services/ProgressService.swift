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

    /// Events received at once.
    private static let eventsMax = 100
    /// So many at once that nobody waits for a single one of them, and not so many that more are waiting.
    private static let manyEvents = 8..<eventsMax
    private static let gathering: Duration = .milliseconds(20)

    func run() async throws {
        let context = context
        while !stop.isStopping {
            do {
                let messages = try await stop.race {
                    try await context.backend.queues.progress.receive(
                        limit: Self.eventsMax,
                        invisible: context.settings.visibility,
                        wait: context.settings.longPoll
                    )
                }
                guard let messages, !messages.isEmpty else { continue }
                try await book(messages)
                // Where they come in numbers, the next ones gather: each booking is a commit.
                if Self.manyEvents.contains(messages.count) { await stop.pause(Self.gathering, context.clock) }
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
                // Rivals in other processes book other slices; where all writers wait in line, one write does for all.
                let slice = context.backend.atomic == nil ? chunk.slice : nil
                groups[Group(job: event.jobKey, slice: slice), default: []].append((event, message))
            } catch {
                // Left to the queue's redrive: it ends in the dead-letter queue, where somebody can look at it.
                context.logger.error("a progress event can't be read", metadata: ["error": "\(error)"])
            }
        }
        var failure: (any Error)?
        for (group, members) in groups {
            do {
                try await book(members, of: group.job)
            } catch let error as PortError where error.code == .invalidRequest && members.count > 1 {
                // One of them can never be booked; it must not keep the others from it.
                for member in members {
                    do { try await book([member], of: group.job) } catch { failure = error }
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func book(_ members: [(ProgressEvent, ReceivedMessage)], of job: JobKey) async throws {
        let result = try await booker.book(members.map(\.0), deleting: members.map(\.1.receipt))
        booked(job, result.landed)
        try await janitor.settled(result.settled)
    }

    private struct Group: Hashable {
        let job: JobKey
        let slice: Int?
    }
}
