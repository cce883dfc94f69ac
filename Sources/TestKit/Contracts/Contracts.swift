// The promises of each port as cases that any driver can be put to.

/// A named promise and the steps that find out whether a driver keeps it.
///
/// Each run wants a harness of its own: a driver that nobody has used and that holds nothing.
public struct ContractCase<Harness: Sendable>: Sendable, CustomStringConvertible {
    public let name: String
    private let steps: @Sendable (Harness) async throws -> Void

    public init(_ name: String, _ steps: @escaping @Sendable (Harness) async throws -> Void) {
        self.name = name
        self.steps = steps
    }

    /// Puts a driver to the case.
    ///
    /// - Throws: `ContractFailure` if the promise is broken, or the error with which the driver refused.
    public func run(_ harness: Harness) async throws {
        try await steps(harness)
    }

    public var description: String { name }
}
