// What a broken promise looks like, and the few ways to notice one.
public import SluiceCore

/// A promise that a driver did not keep: what was expected, and the line that expected it.
public struct ContractFailure: Error, CustomStringConvertible {
    public let message: String
    public let file: String
    public let line: Int

    public init(_ message: String, file: String = #fileID, line: Int = #line) {
        self.message = message
        self.file = file
        self.line = line
    }

    public var description: String { "\(message) (\(file):\(line))" }
}

/// Holds the driver to a condition.
public func expect(
    _ condition: Bool,
    _ message: @autoclosure () -> String,
    file: String = #fileID,
    line: Int = #line
) throws {
    guard condition else { throw ContractFailure(message(), file: file, line: line) }
}

/// Holds the driver to a value.
public func expect<Value: Equatable>(
    _ actual: Value,
    equals wanted: Value,
    _ what: @autoclosure () -> String,
    file: String = #fileID,
    line: Int = #line
) throws {
    guard actual == wanted else {
        throw ContractFailure(
            "\(what()): expected \(brief(wanted)), got \(brief(actual))",
            file: file,
            line: line
        )
    }
}

/// Holds the driver to refusing a call, and with which code.
@discardableResult
public func expect(
    _ code: PortError.Code,
    from what: @autoclosure () -> String,
    file: String = #fileID,
    line: Int = #line,
    _ call: () async throws -> Void
) async throws -> PortError {
    do {
        try await call()
    } catch let error as PortError {
        guard error.code == code else {
            throw ContractFailure(
                "\(what()): expected \(code), got \(error.code): \(error)",
                file: file,
                line: line
            )
        }
        return error
    }
    throw ContractFailure("\(what()): expected \(code), but it succeeded", file: file, line: line)
}

/// A value's description, cut to what a reader can take in.
private func brief(_ value: some Equatable) -> String {
    let text = String(describing: value)
    return text.utf8.count <= 400 ? text : "\(text.prefix(400))…"
}
