// Reads a chunk's records from where they are kept.
import SluiceCore

/// What was found where a chunk's records should be.
enum ChunkPayload {
    case records(ChunkRecords)
    case missing
    /// There, but not what was written: no further try can read it.
    case damaged(String)

    static func read(
        _ message: ChunkMessage,
        _ chunk: ChunkID,
        _ context: EngineContext
    ) async throws(PortError) -> ChunkPayload {
        if message.payloadKey == nil, let records = context.recentPayloads.records(of: chunk) {
            return .records(records)
        }
        let bytes: [UInt8]
        do {
            let key = message.payloadKey ?? PayloadKey.page(of: chunk)
            bytes = try await context.backend.objects.read(key, range: message.offset..<message.offset + message.length)
        } catch {
            guard error.code == .notFound else { throw error }
            return .missing
        }
        do {
            return .records(try ChunkRecords(bytes: bytes, count: message.count))
        } catch {
            return .damaged(error.description)
        }
    }

    /// The records, if they can be read.
    var readable: ChunkRecords? {
        if case .records(let records) = self { records } else { nil }
    }
    /// Why there are no records; nil if there are.
    var loss: String? {
        switch self {
        case .records: nil
        case .missing: "payload_missing"
        case .damaged(let problem): "payload_damaged: \(problem)"
        }
    }
}
