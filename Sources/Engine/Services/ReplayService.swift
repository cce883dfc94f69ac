// Receives chunks and delivers them, as many at once as their destinations bear.
import Logging
import SluiceCore
import Synchronization

/// The replay worker of one process.
final class ReplayService: Sendable {
    private let context: EngineContext
    private let deliverer: Deliverer
    private let cache: JobCache
    private let stop: StopSignal
    let inHand = Mutex<Set<MessageReceipt>>([])

    init(_ context: EngineContext, deliverer: Deliverer, cache: JobCache, stop: StopSignal) {
        self.context = context
        self.deliverer = deliverer
        self.cache = cache
        self.stop = stop
    }

    /// Works until a stop is asked for; then finishes what is under way within the grace period, and gives the rest back.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.keepHidden() }
            try await deliverUntilStopped()
            group.cancelAll()
        }
    }

    private func deliverUntilStopped() async throws {
        let context = context
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A stop is heard while there is no room too.
            group.addTask { await self.stop.wait() }
            var running = 0
            let limit = context.settings.deliveriesMax
            while !stop.isStopping {
                if running >= limit {
                    // Room for several, for a receive costs a commit however few messages it brings.
                    while running > limit - max(1, limit / 4), !stop.isStopping {
                        try await group.next()
                        running -= 1
                    }
                }
                if stop.isStopping { break }
                let messages = await receive(limit - running)
                for message in messages {
                    inHand.withLock { _ = $0.insert(message.receipt) }
                    group.addTask { await self.handle(message) }
                    running += 1
                }
            }
            await endWithinGrace(&group)
        }
    }

    private func receive(_ room: Int) async -> [ReceivedMessage] {
        let context = context
        do {
            let received = try await stop.race {
                try await context.backend.queues.replay.receive(
                    limit: room,
                    invisible: context.settings.visibility,
                    wait: context.settings.longPoll
                )
            }
            return received ?? []
        } catch {
            context.logger.warning(
                "receiving from the replay queue failed; trying again",
                metadata: ["error": "\(error)"]
            )
            await stop.pause(context.settings.tick, context.clock)
            return []
        }
    }

    /// What becomes of a message whose handling is cut off by a cancellation.
    enum Cut {
        /// It is visible again at once, and that receive is used up.
        case giveBack
        /// A copy of it comes later, so that being cut off time and again uses up no receives.
        case postpone
    }

    func handle(_ message: ReceivedMessage, whenCut cut: Cut = .giveBack) async {
        do {
            try await deliverer.handle(message, waitersMax: waitersMax(cut))
        } catch let halted as DeliveryHalted {
            await hold(message, halted.reason)
        } catch is DeliveryDropped {
            await giveBack(message, after: .zero)
        } catch is CancellationError {
            await letGo(message, cut)
        } catch let error as PortError where error.code == .cancelled {
            await letGo(message, cut)
        } catch let error as PortError where error.code == .unauthorized || error.code == .outOfSpace {
            await hold(message, error.description)
        } catch let error as PortError where error.isRetryable {
            context.logger.warning("a chunk was not delivered; it comes again", metadata: ["error": "\(error)"])
            await postpone(message)
        } catch {
            // Not deleted, so it comes again; soon, but not at once, lest a lasting failure spins.
            context.logger.warning("a chunk was not delivered; it comes again", metadata: ["error": "\(error)"])
            await giveBack(message, after: backoff(message))
        }
        inHand.withLock { _ = $0.remove(message.receipt) }
    }

    /// A job whose rate is low must not keep all others waiting; and where waiting is paid for, none is to wait long.
    private func waitersMax(_ cut: Cut) -> Int {
        switch cut {
        case .giveBack: max(1, context.settings.deliveriesMax / 4)
        case .postpone: 0
        }
    }

    private func letGo(_ message: ReceivedMessage, _ cut: Cut) async {
        switch cut {
        case .giveBack: await giveBack(message, after: .zero)
        case .postpone: await postpone(message)
        }
    }

    private func backoff(_ message: ReceivedMessage) -> Duration {
        context.settings.backoff.bound(afterAttempt: message.receiveCount)
    }

    /// The sink or a store wants mending by somebody outside: the job pauses, and says why.
    private func hold(_ message: ReceivedMessage, _ reason: String) async {
        do {
            let chunk = try ChunkMessage(body: message.body)
            let job = try await JobControl(context).pause(chunk.job, reason: reason, holdingDelivery: true)
            deliverer.sinks.forget(job.id)
            cache.forget(job.id)
            // One that was paused before drains, and would use up the chunk's receives against what wants mending.
            if !job.holdsDelivery { return await postpone(message) }
        } catch {
            // A redrive of a job at its end can't pause it; what has to be mended must not use up its receives either.
            context.logger.warning("a job could not be paused", metadata: ["reason": "\(reason)", "error": "\(error)"])
            return await postpone(message)
        }
        await giveBack(message, after: context.settings.tick)
    }

    /// A port failed, which is no fault of the chunk's: that costs it no receive, however long it lasts.
    private func postpone(_ message: ReceivedMessage) async {
        let deliverer = deliverer
        do {
            try await context.evenIfCancelled { () throws(PortError) in try await deliverer.postpone(message) }
        } catch {
            context.logger.info("a chunk was not put off", metadata: ["error": "\(error)"])
            await giveBack(message, after: backoff(message))
        }
    }

    private func giveBack(_ message: ReceivedMessage, after delay: Duration) async {
        let replay = context.backend.queues.replay
        do {
            try await context.evenIfCancelled { () throws(PortError) in
                try await replay.changeVisibility([message.receipt], invisible: delay)
            }
        } catch {
            // It becomes visible by itself when its time is over.
            context.logger.info("a chunk was not given back early", metadata: ["error": "\(error)"])
        }
    }

    /// Lets what is under way finish, but no longer than the grace period.
    private func endWithinGrace(_ group: inout ThrowingTaskGroup<Void, any Error>) async {
        let grace = context.settings.grace
        let clock = context.clock
        group.addTask {
            do { try await clock.sleep(for: grace) } catch { return }
            throw GraceOver()
        }
        while !inHand.withLock(\.isEmpty) {
            do {
                guard try await group.next() != nil else { break }
            } catch {
                break
            }
        }
        group.cancelAll()
    }

    private struct GraceOver: Error {}

    /// Keeps messages in hand hidden for as long as work on them lasts, whatever comes of it; ends when cancelled.
    func keepHidden() async throws(PortError) {
        while true {
            try await context.pause(context.settings.visibility / 2)
            let receipts = Array(inHand.withLock { $0 })
            guard !receipts.isEmpty else { continue }
            do {
                try await context.backend.queues.replay.changeVisibility(
                    receipts,
                    invisible: context.settings.visibility
                )
            } catch {
                guard error.code != .cancelled else { throw error }
                context.logger.warning("chunks in hand may be delivered twice", metadata: ["error": "\(error)"])
            }
        }
    }
}
