// The port to ticks: somebody does it, about so often, and nobody else meanwhile.

/// Recurring work shared by all processes of a deployment.
public protocol Schedule: Sendable {
    /// Whether the caller is to do the named work now.
    ///
    /// True for one caller about once per `interval`; nobody else gets true until the interval has passed since. Work
    /// that lasts longer than the interval may overlap with the next, so it must bear being done twice.
    func isDue(_ name: String, every interval: Duration) async throws(PortError) -> Bool
}
