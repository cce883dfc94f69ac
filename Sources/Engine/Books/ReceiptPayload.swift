// The records that a receipt is about, read from where they are kept when somebody first wants them.
import SluiceCore
import Synchronization

/// One receipt's records; most receipts end without them.
final class ReceiptPayload: Sendable {
    private let receipt: ReceiptItem
    private let context: EngineContext
    private let found = Mutex<Result<ChunkPayload, PortError>?>(nil)

    init(_ receipt: ReceiptItem, _ context: EngineContext) {
        self.receipt = receipt
        self.context = context
    }

    /// What is there, read once; after a failure it is read again.
    func read() async throws(PortError) -> ChunkPayload {
        if case .success(let payload)? = found.withLock({ $0 }) { return payload }
        do {
            let payload = try await ChunkPayload.read(ChunkMessage(receipt), receipt.chunk, context)
            found.withLock { $0 = .success(payload) }
            return payload
        } catch {
            found.withLock { $0 = .failure(error) }
            throw error
        }
    }

    /// The records, or nil; `loss` then says why.
    func readable() async -> ChunkRecords? {
        do { return try await read().readable } catch { return nil }
    }

    /// Why whoever wanted the records did not get them; nil if they did, or nobody asked.
    ///
    /// - Throws: what the last try to read them failed with.
    var loss: String? {
        get throws(PortError) {
            switch found.withLock({ $0 }) {
            case .success(let payload)?: payload.loss
            case .failure(let error)?: throw error
            case nil: nil
            }
        }
    }
}
