// Writing lines to segments of one writer: places are exact, and what is answered is on the disk.
import Glibc
import SluiceCore
import Synchronization

/// Appends deliveries to segment files that nobody else writes to.
///
/// Used by one thread at a time.
final class SegmentWriter: Sendable {
    private struct State {
        var current: Segment?
        var count = 0
    }

    private struct Segment {
        let name: String
        let file: OpenFile
        /// Where the next line goes: everything before is whole.
        var length = 0
        var isSynced = true
    }

    private let folder: SegmentFolder
    private let owner: String
    private let writer: String
    private let segmentBytesMax: Int
    private let state = Mutex(State())

    init(folder: SegmentFolder, owner: String, writer: String, segmentBytesMax: Int) {
        self.folder = folder
        self.owner = owner
        self.writer = writer
        self.segmentBytesMax = segmentBytesMax
    }

    /// Writes some deliveries and makes them durable with one sync; gives their answers in the same order.
    func write(_ requests: [DeliveryRequest]) -> [DeliveryAnswer] {
        state.withLock { state in
            var answers: [DeliveryAnswer] = []
            // Those whose bytes are written and not yet synced; all of them are in the current segment.
            var unsynced = 0..<0
            for request in requests {
                let lines = DeliveryLines(request)
                do throws(SystemFailure) {
                    if let current = state.current, current.length > 0,
                        current.length + lines.bytes > segmentBytesMax
                    {
                        Self.settle(&answers, unsynced, in: &state)
                        state.current = nil
                        unsynced = answers.count..<answers.count
                    }
                    let place = try append(lines, in: &state)
                    let outcomes = Array(repeating: RecordOutcome.completed, count: request.positions.count)
                    answers.append(.answered(outcomes, place: place))
                } catch {
                    if state.current == nil {
                        // The segment is given up: what it has, and is not synced, is not answered for.
                        Self.fail(&answers, unsynced, with: error)
                    }
                    answers.append(error.deliveryAnswer)
                }
                unsynced = (state.current == nil ? answers.count : unsynced.lowerBound)..<answers.count
            }
            Self.settle(&answers, unsynced, in: &state)
            return answers
        }
    }

    private func append(_ lines: DeliveryLines, in state: inout State) throws(SystemFailure) -> SinkPlace {
        if state.current == nil { state.current = try makeSegment(in: &state) }
        guard var segment = state.current else { preconditionFailure("a segment has just been made") }
        do throws(SystemFailure) {
            segment.isSynced = false
            try lines.write(to: segment.file, at: segment.length)
        } catch {
            // Half a delivery may lie behind the last whole line: away with it, or with the segment.
            do throws(SystemFailure) {
                try segment.file.truncate(to: Int64(segment.length))
            } catch {
                state.current = nil
            }
            throw error
        }
        let place = SinkPlace(segment: segment.name, offset: segment.length, length: lines.bytes)
        segment.length += lines.bytes
        state.current = segment
        return place
    }

    private func makeSegment(in state: inout State) throws(SystemFailure) -> Segment {
        state.count += 1
        let name = SegmentFolder.segmentName(owner: owner, writer: writer, number: state.count)
        return Segment(name: name, file: try folder.create(name))
    }

    /// Makes the current segment durable; if that fails, nothing that was not durable before is answered for.
    private static func settle(_ answers: inout [DeliveryAnswer], _ unsynced: Range<Int>, in state: inout State) {
        guard let current = state.current, !current.isSynced else { return }
        do throws(SystemFailure) {
            try current.file.sync()
            state.current?.isSynced = true
        } catch {
            // After a failed sync nobody knows what the segment will hold: it is never written to again.
            state.current = nil
            fail(&answers, unsynced, with: error)
        }
    }

    private static func fail(_ answers: inout [DeliveryAnswer], _ range: Range<Int>, with failure: SystemFailure) {
        for index in range {
            if case .answered = answers[index] { answers[index] = failure.deliveryAnswer }
        }
    }
}
