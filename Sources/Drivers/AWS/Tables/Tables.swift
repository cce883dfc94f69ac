// The port of tables, kept by DynamoDB.
