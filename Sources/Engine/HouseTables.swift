// All tables of the house, for those who have to make them beforehand.
public import SluiceCore

/// The schemas that engine and pipelines use.
public enum HouseTables {
    public static let schemas = [
        Job.schema, ledgerSchema, ReceiptItem.schema, DeadLetter.schema, DestinationClaim.schema, IndexDetails.schema,
        TableSchedule.schema, TableOwners.schema,
    ]
}
