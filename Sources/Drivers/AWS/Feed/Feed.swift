// The port to a table's history, kept by DynamoDB Streams.
