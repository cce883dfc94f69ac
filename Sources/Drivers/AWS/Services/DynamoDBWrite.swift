// One write as DynamoDB takes it, by itself or in a transaction.
internal import SluiceCore

/// The members of a write's request, which are the same in both forms.
struct DynamoDBWrite: Sendable {
    enum Operation: String, Sendable {
        case check = "ConditionCheck"
        case delete = "Delete"
        case put = "Put"
        case update = "Update"

        /// The name of the call that does it by itself; a check has none.
        var call: String? { self == .check ? nil : "\(rawValue)Item" }
    }

    let action: TableAction
    let operation: Operation
    /// The members, without the object's braces.
    let fields: [UInt8]
    /// Whether a condition was added that the additions have room, so that its failing is not yet the caller's failing.
    let isGuarded: Bool
    /// Whether doing it twice is doing it once.
    let isRepeatable: Bool

    /// Room for the answer to a failed condition that brings the old item: its text may be six times its size.
    static let oldItemBytesMax = 6 * TableLimits.itemBytesMax + 4096

    private static let nobodysAttribute = "(none)"

    /// - Parameters:
    ///   - action: what to write.
    ///   - table: where, as DynamoDB knows it.
    ///   - isAlone: whether it is not part of a transaction.
    /// - Throws: `invalidRequest` for what can be seen to be wrong from here.
    init(_ action: TableAction, table: String, isAlone: Bool) throws(PortError) {
        self.action = action
        var expression = DynamoDBExpression(action.schema)
        var condition = DynamoDBExpression.Text.always(true)
        if let wanted = action.condition { condition = try expression.condition(wanted) }
        var update = ""
        var room = DynamoDBExpression.Text.always(true)
        var request = AWSJSONWriter()
        request.name("TableName")
        request.text(table)
        if case .put(let item) = action.effect {
            operation = .put
            guard action.schema.key(of: item) == action.key else {
                throw PortError(.invalidRequest, "an item for \(action.schema.name) \(action.key) has another key")
            }
            request.name("Item")
            try request.item(item)
        } else {
            request.name("Key")
            request.key(action.key, of: action.schema)
            switch action.effect {
            case .update(let changes):
                operation = .update
                (update, room) = try expression.update(changes, of: action.key)
                // Without changes an item is created all the same; but a transaction's update has to have one.
                if update.isEmpty && !isAlone { update = "REMOVE \(expression.name(Self.nobodysAttribute))" }
            case .delete: operation = .delete
            case .check, .put: operation = .check
            }
        }
        if case .always = room { isGuarded = false } else { isGuarded = true }
        isRepeatable = action.condition == nil && !isGuarded
        if !update.isEmpty { request.member("UpdateExpression", update) }
        if let text = expression.whole(DynamoDBExpression.joined([condition, room], isAnd: true)) {
            request.member("ConditionExpression", text)
        }
        expression.write(into: &request)
        if isGuarded { request.member("ReturnValuesOnConditionCheckFailure", "ALL_OLD") }
        fields = request.bytes
    }

    /// Whether a check asks for nothing at all, which DynamoDB refuses to do.
    var isEmptyCheck: Bool { operation == .check && action.condition == nil }
}
