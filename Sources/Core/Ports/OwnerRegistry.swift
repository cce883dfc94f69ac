// The port that knows which working processes are certainly gone.

/// A working process, named anew each time one starts.
public struct OwnerID: Sendable, Hashable, Codable, CustomStringConvertible {
    public let text: String

    public init(_ text: String) {
        self.text = text
    }

    public init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public var description: String { text }
}

extension OwnerID: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(text) }
}

/// Who is working, as far as the platform can prove it or the owners say it.
///
/// It serves liveness only; safety rests on epochs.
public protocol OwnerRegistry: Sendable {
    /// This process.
    var own: OwnerID { get }

    /// True only on proof that the owner has ended, or if it said so itself. An owner that is merely silent is not gone.
    ///
    /// A platform without such proof never learns of an owner that was killed: what that one held is free when its leases are
    /// over.
    func isGone(_ owner: OwnerID) async -> Bool

    /// How many owners are at work, this one included; at least 1. It may be half a minute late.
    func liveCount() async -> Int
}
