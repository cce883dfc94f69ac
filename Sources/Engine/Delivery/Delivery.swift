// From a message of the replay queue to the outcome of each of its records, and what can stop it on the way.

/// The sink can't take anything until somebody outside mends it; the message stays for later.
struct DeliveryHalted: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}

/// The job was cancelled while its records waited; the message is dropped when it comes again.
struct DeliveryDropped: Error {}
