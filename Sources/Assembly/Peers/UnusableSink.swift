// A sink that can't be made here, such as for want of a key.
import SluiceCore

/// Halts every delivery with the reason, so that the job pauses and somebody learns what to mend.
struct UnusableSink: ConfirmingSink, ReadableSink {
    let reason: String

    let readIDsMax = 1

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer { .halted(reason: reason) }
    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation { .halted(reason: reason) }
    func read(_ ids: [String]) async throws(SinkError) -> [JSONValue?] { throw .stopped(reason) }
}
