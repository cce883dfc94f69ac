// A sink that takes everything and keeps nothing: for trying a source out, and for measuring.
package import SluiceCore

/// Completes every record at once.
///
/// The job's record says that its sink is `noop`.
package struct NoOpSink: RecordSink {
    package init() {}

    package func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        .answered(Array(repeating: .completed, count: request.positions.count))
    }
}
