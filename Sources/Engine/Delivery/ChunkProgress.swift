// What one handling of a chunk has found out about its records.
import SluiceCore

/// Letters to be raised, places to be booked and dead letters to be kept.
struct ChunkProgress: Sendable {
    private(set) var letters: Letters
    private(set) var places: [ProgressEvent.Placed] = []
    /// What the sink gave last and is not stored yet; whoever stores the rest of what was found out stores it with that.
    private(set) var receipts: [ReceiptItem] = []
    private var refusals: [Refusal] = []

    private struct Refusal: Sendable {
        var position: Int
        var recordID: String?
        var reason: String
        var attempts: Int
        var payload: [UInt8]
    }

    init(count: Int) {
        letters = Letters(count: count)
    }

    var hasRefusals: Bool { !refusals.isEmpty }
    var saysSomething: Bool { letters.values.contains { $0 != .inFlight } }

    /// What receipts already say is said again: the event that said it first may be lost.
    mutating func repeatWhatIsKnown(_ receipts: [ReceiptItem]) {
        for receipt in receipts {
            let ends = receipt.ends.flatMap { Letters($0) }
            for (index, position) in receipt.positions.enumerated() where position < letters.count {
                if let ends, index < ends.count {
                    letters.raise(position, to: ends[index])
                } else {
                    letters.raise(position, to: .accepted)
                }
            }
        }
    }

    mutating func raise(_ position: Int, to letter: Letter) {
        letters.raise(position, to: letter)
    }

    mutating func add(_ receipt: ReceiptItem) {
        receipts.append(receipt)
    }

    mutating func takeReceipts() -> [ReceiptItem] {
        defer { receipts = [] }
        return receipts
    }

    mutating func place(_ place: SinkPlace, at positions: [Int]) {
        places.append(ProgressEvent.Placed(place: place, positions: positions))
    }

    mutating func refuse(
        _ position: Int,
        recordID: String?,
        reason: String,
        attempts: Int,
        payload: some Collection<UInt8>,
        as letter: Letter = .refused
    ) {
        letters.raise(position, to: letter)
        refusals.append(
            Refusal(position: position, recordID: recordID, reason: reason, attempts: attempts, payload: Array(payload))
        )
    }

    /// The dead letters to keep, each with the object that holds its payload if the item can't.
    func deadLetters(
        of chunk: ChunkID,
        now: Timestamp
    ) throws(PortError) -> [(item: DeadLetter, kept: (key: String, bytes: [UInt8])?)] {
        refusals.map { refusal in
            let item = DeadLetter(
                chunk: chunk,
                position: refusal.position,
                recordID: refusal.recordID,
                reason: refusal.reason,
                attempts: refusal.attempts,
                payload: refusal.payload,
                now: now
            )
            return (item, item.payloadKey.map { ($0, refusal.payload) })
        }
    }
}
