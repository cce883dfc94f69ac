// A launcher that only writes down what it would start.
public import SluiceCore
import Synchronization

/// Starts nothing, and remembers what it was to start.
public final class RecordingLauncher: Launcher {
    private let launches = Mutex<[Launch]>([])

    public init() {}

    /// What was started, each launch once, in order.
    public var started: [Launch] { launches.withLock { $0 } }

    public func launch(_ launch: Launch) async throws(PortError) -> Bool {
        launches.withLock { launches in
            guard !launches.contains(where: { $0.name == launch.name }) else { return false }
            launches.append(launch)
            return true
        }
    }
}
