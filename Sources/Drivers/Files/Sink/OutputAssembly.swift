// Putting booked places together as one file, and giving it its name.
import Glibc
import SluiceCore
import Synchronization

/// One attempt at a job's output.
///
/// Used by one task at a time; holds the lock on the partial file as long as it lives.
final class OutputAssembly: Sendable {
    private static let copyBytes = 1 << 20
    /// So many segments are kept open while places of several writers alternate.
    private static let openSegmentsMax = 64
    /// A place of which only some lines are wanted is read whole; a chunk has less.
    private static let pickedPlaceBytesMax = 1 << 30

    private struct State {
        var stream: OutputStream
        var records = 0
        /// Places that lie directly behind each other, not yet copied.
        var run: SinkPlace?
        var segments: [String: OpenFile] = [:]
        var buffer: [UInt8] = []
    }

    private let output: String
    private let folder: SegmentFolder
    private let overwrite: Bool
    private let partial: OpenFile
    private let state: Mutex<State>

    /// Begins the output anew.
    init(output: String, folder: SegmentFolder, overwrite: Bool) throws(SinkError) {
        self.output = output
        self.folder = folder
        self.overwrite = overwrite
        do throws(SystemFailure) {
            guard let file = try Self.lockPartial(of: output, creating: true) else {
                throw SystemFailure("lock", Self.partialPath(of: output), number: EWOULDBLOCK)
            }
            try file.truncate(to: 0)
            partial = file
        } catch {
            guard error.number != EWOULDBLOCK else {
                throw .transient("another process is putting \(output) together")
            }
            throw error.sinkError
        }
        state = Mutex(State(stream: try OutputStream(to: partial, isGzip: output.hasSuffix(".gz"))))
    }

    func add(_ spans: [BookedSpan]) throws(SinkError) {
        try state.withLock { state throws(SinkError) in
            for span in spans {
                if let lines = span.lines {
                    try copyRun(in: &state)
                    try copy(lines, of: span.place, in: &state)
                } else if let run = state.run, run.segment == span.place.segment,
                    run.offset + run.length == span.place.offset
                {
                    state.run?.length += span.place.length
                } else {
                    try copyRun(in: &state)
                    state.run = span.place
                }
            }
        }
    }

    /// Makes the output durable and gives it its name.
    func publish() throws(SinkError) -> AssembledOutput {
        let result = try state.withLock { state throws(SinkError) in
            try copyRun(in: &state)
            state.segments.removeAll()
            return AssembledOutput(records: state.records, bytes: try state.stream.finish())
        }
        do throws(SystemFailure) {
            try partial.sync()
            let status = try partial.status()
            try folder.note(status)
            guard try place(status) else {
                throw SystemFailure("replace", output, number: EEXIST)
            }
            try Folder.sync(Folder.parent(of: output))
        } catch {
            guard error.number != EEXIST else {
                throw .stopped(
                    "\(output) exists and is not this job's; move it away, then resume the job"
                )
            }
            throw error.sinkError
        }
        return result
    }

    /// Removes what was written.
    func abandon() {
        do throws(SystemFailure) {
            // Its name may belong to the output already, or to nobody.
            if try partial.isNamed(partial.path) { try Folder.remove(partial.path) }
        } catch {
            // The next attempt writes over it.
        }
    }
}

extension OutputAssembly {
    /// Gives the finished file its name; false if that is another's, and may not be replaced.
    private func place(_ status: FileStatus) throws(SystemFailure) -> Bool {
        while true {
            guard let present = try FileStatus.ifPresent(output, following: false) else {
                if try Folder.link(partial.path, as: output) {
                    try Folder.remove(partial.path)
                    return true
                }
                // Somebody was quicker: look at what they put there.
                continue
            }
            guard !present.isFolder else { throw SystemFailure("replace", output, number: EISDIR) }
            let isNoted = try folder.isNoted(present)
            if overwrite || isNoted {
                try Folder.rename(partial.path, to: output)
                return true
            }
            guard present.isRegular, try hasSameContent(as: present, bytes: status.bytes) else { return false }
            // An attempt before this one got as far as this.
            try folder.note(present)
            try Folder.remove(partial.path)
            return true
        }
    }

    private func hasSameContent(as present: FileStatus, bytes: Int64) throws(SystemFailure) -> Bool {
        guard present.bytes == bytes else { return false }
        let other = try OpenFile(output, O_RDONLY)
        var offset: Int64 = 0
        while offset < bytes {
            let ours = try partial.read(count: Self.copyBytes, at: offset)
            guard !ours.isEmpty, try other.read(count: Self.copyBytes, at: offset) == ours else { return false }
            offset += Int64(ours.count)
        }
        return true
    }

    private func copyRun(in state: inout State) throws(SinkError) {
        guard let run = exchange(&state.run, with: nil), run.length > 0 else { return }
        let segment = try segment(run.segment, in: &state)
        var offset = run.offset
        let end = run.offset + run.length
        while offset < end {
            // Through our hands, as the lines are counted and their end is seen to be one.
            try read(min(Self.copyBytes, end - offset), of: segment, at: offset, in: &state)
            state.records += state.buffer.span.withUnsafeBytes { Newlines.count(in: $0) }
            offset += state.buffer.count
            try state.stream.append(state.buffer)
        }
        guard state.buffer.last == UInt8(ascii: "\n") else { throw damaged(run) }
    }

    private func copy(_ lines: [Int], of place: SinkPlace, in state: inout State) throws(SinkError) {
        guard place.length <= Self.pickedPlaceBytesMax else { throw damaged(place) }
        try read(place.length, of: segment(place.segment, in: &state), at: place.offset, in: &state)
        var ends: [Int] = []
        for (index, byte) in state.buffer.enumerated() where byte == UInt8(ascii: "\n") { ends.append(index + 1) }
        var picked: [UInt8] = []
        for line in lines {
            guard ends.indices.contains(line) else { throw damaged(place) }
            picked.append(contentsOf: state.buffer[(line == 0 ? 0 : ends[line - 1])..<ends[line]])
        }
        state.records += lines.count
        try state.stream.append(picked)
    }

    private func read(_ count: Int, of segment: OpenFile, at offset: Int, in state: inout State) throws(SinkError) {
        do throws(SystemFailure) {
            if state.buffer.count != count { state.buffer = [UInt8](repeating: 0, count: count) }
            var span = state.buffer.mutableSpan
            let found = try span.withUnsafeMutableBytes { buffer throws(SystemFailure) in
                try segment.read(into: buffer, at: Int64(offset))
            }
            if found == count { return }
        } catch {
            throw error.sinkError
        }
        throw .stopped(
            "\(segment.path) ends before byte \(offset + count), which is booked: restore it, or run the job anew"
        )
    }

    private func segment(_ name: String, in state: inout State) throws(SinkError) -> OpenFile {
        if let open = state.segments[name] { return open }
        if state.segments.count >= Self.openSegmentsMax { state.segments.removeAll() }
        let open = try folder.open(name)
        state.segments[name] = open
        return open
    }

    private func damaged(_ place: SinkPlace) -> SinkError {
        .stopped(
            "\(folder.path)/\(place.segment) does not hold the lines that are booked at byte \(place.offset): "
                + "restore it, or run the job anew"
        )
    }
}

extension OutputAssembly {
    static func partialPath(of output: String) -> String { output + ".partial" }

    /// Removes an unfinished output, unless somebody is writing it.
    static func removePartial(of output: String) throws(SystemFailure) {
        guard let file = try lockPartial(of: output, creating: false) else { return }
        try Folder.remove(file.path)
    }

    /// The partial file with its lock, or nil if somebody else has it, or if there is none and none is to be made.
    private static func lockPartial(of output: String, creating: Bool) throws(SystemFailure) -> OpenFile? {
        let path = partialPath(of: output)
        while true {
            if !creating, try FileStatus.ifPresent(path) == nil { return nil }
            let file = try OpenFile(path, O_RDWR | O_CREAT)
            guard try file.lock() else { return nil }
            // Whoever held the lock before may have given the file its final name in the meantime: then it is not ours.
            if try file.isNamed(path) { return file }
        }
    }
}

extension OpenFile {
    /// Whether the file still bears this name.
    fileprivate func isNamed(_ path: String) throws(SystemFailure) -> Bool {
        guard let named = try FileStatus.ifPresent(path) else { return false }
        let own = try status()
        return named.inode == own.inode && named.device == own.device
    }
}
