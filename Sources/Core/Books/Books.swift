// The ledger: one letter for each record, one balanced counter item for each slice.
