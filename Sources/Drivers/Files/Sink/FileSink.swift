// Records into a JSON Lines file: written to segments first, put together from the booked places at the end.
package import SluiceCore
import Synchronization

/// A file as a sink, with gzip on the way out if its name ends in `.gz`.
///
/// - A delivery is appended to a segment that only this object writes to, in a folder beside the output that is named
///   for the job, and is on the disk when it is answered. Deliveries that come while another is synced share the next sync.
/// - Nothing in the folder is part of the output unless its place is handed to `assemble`: bytes of a crashed writer, of
///   a delivery that was repeated, or of a writer that nobody waits for any more are in none.
/// - The output is written as `out.jsonl.partial` and gets its name when it is whole and on the disk.
package final class FileSink: AssemblingSink {
    private struct Waiting {
        let request: DeliveryRequest
        let answer: CheckedContinuation<DeliveryAnswer, Never>
    }

    private struct Line {
        var waiting: [Waiting] = []
        var isMoving = false
    }

    /// A segment that reached this is followed by another.
    package static let segmentBytesMax = 256 << 20

    private let output: String
    private let overwrite: Bool
    private let folder: SegmentFolder
    private let segments: SegmentWriter
    private let io: BlockingIO
    private let line = Mutex(Line())

    /// Writes nothing yet: the first segment is made with the first delivery.
    ///
    /// - Parameters:
    ///   - path: The output's full path.
    ///   - job: The job whose output it is.
    ///   - owner: Who writes, for whoever looks at the segments' names.
    ///   - overwrite: Whether a file that is there already, and not the job's own, may be replaced.
    ///   - segmentBytesMax: When a segment is followed by another.
    ///   - random: Makes the names of segments unique.
    ///   - io: The threads on which files are written.
    package init(
        path: String,
        job: JobID,
        owner: String,
        overwrite: Bool,
        segmentBytesMax: Int = FileSink.segmentBytesMax,
        random: any RandomSource = SystemRandomSource(),
        io: BlockingIO = .shared
    ) {
        output = path
        self.overwrite = overwrite
        self.io = io
        folder = SegmentFolder(output: path, job: job)
        segments = SegmentWriter(
            folder: folder,
            owner: owner,
            writer: random.hexadecimal(8),
            segmentBytesMax: segmentBytesMax
        )
    }

    /// Appends one line for each position, and syncs; all are completed, or none is kept.
    package func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        guard !request.positions.isEmpty else { return .answered([]) }
        return await withCheckedContinuation { continuation in
            let isFirst = line.withLock { line in
                line.waiting.append(Waiting(request: request, answer: continuation))
                defer { line.isMoving = true }
                return !line.isMoving
            }
            if isFirst { io.submit { self.writeWaiting() } }
        }
    }

    /// Writes whoever waits, together, until nobody does.
    private func writeWaiting() {
        while true {
            let group = line.withLock { line in
                if line.waiting.isEmpty { line.isMoving = false }
                return exchange(&line.waiting, with: [])
            }
            if group.isEmpty { return }
            for (waiting, answer) in zip(group, segments.write(group.map(\.request))) {
                waiting.answer.resume(returning: answer)
            }
        }
    }

    /// Writes the output anew from the places, and puts it in place of what this job put there before.
    ///
    /// `records` counts its lines, `bytes` the file as it lies on disk.
    ///
    /// - Throws: `SinkError.transient` if another process is at it, or the task is cancelled; `.stopped` if a segment is
    ///   missing or damaged, or the name is taken by a file that is not this job's and may not be replaced.
    package func assemble(_ spans: SpanSource) async throws(SinkError) -> AssembledOutput {
        let assembly = try await io.run { () throws(SinkError) in
            try OutputAssembly(output: self.output, folder: self.folder, overwrite: self.overwrite)
        }
        do throws(SinkError) {
            while true {
                let batch = try await spans()
                if batch.isEmpty { break }
                guard !Task.isCancelled else {
                    throw .transient("putting \(output) together was interrupted; it begins anew the next time")
                }
                try await io.run { () throws(SinkError) in try assembly.add(batch) }
            }
            return try await io.run { () throws(SinkError) in try assembly.publish() }
        } catch {
            await io.run { assembly.abandon() }
            throw error
        }
    }

    /// Removes the segments and what is left of an unfinished output.
    package func discardPlaces() async throws(SinkError) {
        try await io.run { () throws(SinkError) in
            do throws(SystemFailure) {
                try Folder.removeWithFiles(self.folder.path)
                try OutputAssembly.removePartial(of: self.output)
                try Folder.sync(Folder.parent(of: self.output))
            } catch {
                throw error.sinkError
            }
        }
    }
}
