// The table of a job's states: every job can reach an end, and no end is left again but by a redrive.
import SluiceCore
import Testing

@Suite("Job states")
struct JobStatusTests {
    @Test("from every state some end can be reached, and every state is reached from pending")
    func reachability() {
        func reach(_ start: JobStatus) -> Set<JobStatus> {
            var found: Set<JobStatus> = [start]
            var open = [start]
            while let state = open.popLast() {
                for next in state.successors where found.insert(next).inserted { open.append(next) }
            }
            return found
        }
        for state in JobStatus.allCases {
            #expect(reach(state).contains { $0.isFinal }, "\(state) leads nowhere")
        }
        #expect(reach(.pending) == Set(JobStatus.allCases))
    }

    @Test("an end is final; only a redrive completes what had failures")
    func ends() {
        for state in JobStatus.allCases where state.isFinal {
            #expect(state.successors == (state == .completedWithFailures ? [.completed] : []))
        }
    }

    @Test("any job under way can be cancelled, and none goes on after that")
    func cancelling() {
        for state in JobStatus.allCases where !state.isFinal && state != .cancelling {
            #expect(state.successors.contains(.cancelling), "\(state) can't be cancelled")
        }
        #expect(JobStatus.cancelling.successors == [.cancelled])
    }

    @Test("an illegal move is refused with both states by name")
    func illegal() {
        let error = #expect(throws: JobError.self) { try JobStatus.completed.checkMove(to: .paused) }
        #expect(error?.description.contains("completed") == true)
        #expect(error?.description.contains("paused") == true)
        #expect(throws: Never.self) { try JobStatus.pending.checkMove(to: .inProgress) }
    }

    @Test("the source system's states keep their spelling")
    func spelling() {
        let states: [JobStatus] = [.pending, .inProgress, .paused, .failed]
        #expect(states.map(\.rawValue) == ["pending", "in_progress", "paused", "failed"])
    }
}
