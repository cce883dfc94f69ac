// What a call asked for and the service says is not there, since the service itself does not name it.
internal import HTTPDriver
internal import SluiceCore

extension AWSErrorCodes {
    /// The table, the queue or the bucket is not there.
    static let absent: Set = [
        "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "QueueDoesNotExist", "ResourceNotFoundException",
        "TableNotFoundException",
    ]
}

extension AWSCall {
    /// What to say of a call whose table, queue or bucket is not there; nil if it names none.
    var absence: String? {
        let names = bucket.map { ["the bucket \"\($0)\""] } ?? namesInBody
        guard !names.isEmpty else { return nil }
        return "\(names.joined(separator: " or ")) is not there: make it, or check its name, the region and the account"
    }

    private var namesInBody: [String] {
        // Only to name what is missing: a request in another form names nothing here.
        let fields = body?.withBytes { (try? JSONValue.parse(Array($0)))?.objectValue } ?? nil
        guard let fields else { return [] }
        if let queue = (fields["QueueName"] ?? fields["QueueUrl"])?.stringValue {
            return ["the queue \"\(queue.split(separator: "/").last ?? "")\""]
        }
        let ofItems = (fields["TransactItems"]?.arrayValue ?? []).compactMap { $0.objectValue?.members.first?.value }
        let tables = [fields["TableName"]?.stringValue] + ofItems.map { $0["TableName"]?.stringValue }
        let inBatch = fields["RequestItems"]?.objectValue?.members.map(\.name) ?? []
        return Set(tables.compactMap { $0 } + inBatch).sorted().map { "the table \"\($0)\"" }
    }
}
