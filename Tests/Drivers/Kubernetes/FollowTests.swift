// What is told of Jobs while connections drop, tokens run out and the API is down.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import KubernetesDriver

@Suite("Following Jobs", .serialized, .timeLimit(.minutes(10)))
struct FollowTests {
    private static let space = KubernetesWorld.namespace

    private func name(_ number: Int) throws -> String { try KubernetesWorld.launch(number).kubernetesName }

    @Test("Jobs that are there are told, then how they change, end and vanish; others' are not")
    func changes() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            _ = try await launcher.launch(KubernetesWorld.launch(1))
            Self.putForeignJob(standIn)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
                _ = try await launcher.launch(KubernetesWorld.launch(2))
                #expect(try await told.nextWords() == "2 running")
                standIn.end(try name(1), in: Self.space, "Complete")
                #expect(try await told.nextWords() == "1 succeeded")
                standIn.end(try name(2), in: Self.space, "Failed", reason: "DeadlineExceeded")
                #expect(try await told.nextWords() == #"2 failed(reason: "DeadlineExceeded")"#)
                standIn.remove(try name(1), in: Self.space)
                #expect(try await told.nextWords() == "-1")
            }
            #expect(standIn.faults.requests[.watch] == 1)
        }
    }

    /// A Job that somebody else made in the same namespace.
    private static func putForeignJob(_ standIn: KubernetesStandIn) {
        standIn.put(
            [
                "apiVersion": "batch/v1", "kind": "Job",
                "metadata": ["name": "foreign", "labels": ["app.kubernetes.io/managed-by": "helm"]],
            ],
            in: space
        )
    }

    @Test(
        "a watch that ends goes on from where it was, without a new list and without telling twice",
        arguments: [KubernetesFault.WatchEnd.inOrder, .hangUp, .reset, .halfLine, .error, .nonsense]
    )
    func drops(end: KubernetesFault.WatchEnd) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.script(.watchEnds(end, afterEvents: 2), of: .watch)
            standIn.faults.script(.watchEnds(end, afterEvents: 1), of: .watch)
            try await Changes.of(launcher.jobs) { told async throws in
                for number in 1...5 {
                    _ = try await launcher.launch(KubernetesWorld.launch(number))
                    #expect(try await told.nextWords() == "\(number) running")
                }
                standIn.end(try name(1), in: Self.space, "Complete")
                #expect(try await told.nextWords() == "1 succeeded")
            }
            #expect(standIn.faults.requests[.list] == 1)
            #expect(standIn.faults.requests[.watch] == 3)
        }
    }

    @Test("what the server forgot is found by a new list, and what vanished unseen is told")
    func gone() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            for number in 1...2 { _ = try await launcher.launch(KubernetesWorld.launch(number)) }
            standIn.faults.script(.watchEnds(.gone, afterEvents: 1), of: .watch)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
                #expect(try await told.nextWords() == "2 running")
                _ = try await launcher.launch(KubernetesWorld.launch(3))
                #expect(try await told.nextWords() == "3 running")
                standIn.remove(try name(1), in: Self.space)
                #expect(try await told.nextWords() == "-1")
                _ = try await launcher.launch(KubernetesWorld.launch(4))
                #expect(try await told.nextWords() == "4 running")
            }
            #expect(standIn.faults.requests[.list] == 2)
        }
    }

    @Test("a version that is too old is an answer 410 as well")
    func tooOld() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            _ = try await launcher.launch(KubernetesWorld.launch())
            standIn.faults.script(.status(410), next: 2, of: .watch)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
                try await Self.watching(standIn)
                #expect(standIn.faults.requests[.list] == 3)
                standIn.end(try name(1), in: Self.space, "Complete")
                #expect(try await told.nextWords() == "1 succeeded")
            }
        }
    }

    @Test("a bookmark is how far a dropped watch has come, even if all before is forgotten")
    func bookmarks() async throws {
        let clock = ManualClock()
        try await KubernetesWorld.run(clock: clock) { launcher, standIn async throws in
            standIn.faults.script(.watchEnds(.hangUp, afterEvents: 1), of: .watch)
            try await Changes.of(launcher.jobs) { told async throws in
                try await Self.watching(standIn)
                // Not ours, so that nothing but the bookmark tells of it.
                Self.putForeignJob(standIn)
                standIn.bookmark()
                try await clock.sleepers(atLeast: 1)
                standIn.compact()
                clock.advanceToNextDeadline()
                _ = try await launcher.launch(KubernetesWorld.launch())
                #expect(try await told.nextWords() == "1 running")
            }
            #expect(standIn.faults.requests[.list] == 1)
            #expect(standIn.faults.requests[.watch] == 2)
        }
    }

    /// Returns when somebody watches.
    private static func watching(_ standIn: KubernetesStandIn) async throws {
        // The second one is this.
        try await standIn.wait { standIn.watcherCount == 2 }
    }

    @Test("a token that runs out between a launch and the watch is renewed, and nothing is missed")
    func expiry() async throws {
        let tokens = Tokens()
        let standIn = KubernetesStandIn(clock: ManualClock()) { tokens.accepts($0) }
        try await KubernetesWorld.run(standIn, tokens: tokens) { launcher, standIn async throws in
            _ = try await launcher.launch(KubernetesWorld.launch())
            standIn.faults.script(.watchEnds(.inOrder, afterEvents: 1), of: .watch)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
                try await Self.watching(standIn)
                tokens.expire()
                standIn.end(try name(1), in: Self.space, "Complete")
                #expect(try await told.nextWords() == "1 succeeded")
                standIn.remove(try name(1), in: Self.space)
                #expect(try await told.nextWords() == "-1")
            }
            #expect(tokens.renewals == 1)
        }
    }

    @Test(
        "what time does not mend is thrown, in the words of the API",
        arguments: [
            (KubernetesFault.status(401), KubernetesRequestKind.list, "access entry"),
            (.status(401), .watch, "access entry"),
            (.status(403), .list, #""list" on "jobs""#), (.status(403), .watch, #""watch" on "jobs""#),
            (.status(400), .watch, "by plan"),
        ]
    )
    func refusals(fault: KubernetesFault, kind: KubernetesRequestKind, words: String) async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            standIn.faults.stand(fault, for: kind)
            let error = await #expect(throws: PortError.self) {
                try await launcher.jobs.follow { _ in Issue.record("nothing can be told") }
            }
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
            if case .status(401, _, _, _) = fault { #expect(standIn.faults.requests[kind] == 2) }
        }
    }

    @Test("an API that is down for long is asked again, less and less often, and then nothing is missed")
    func outage() async throws {
        let clock = EagerClock()
        let count = NoticeCount()
        try await KubernetesWorld.run(clock: clock, notice: { _ in count.add() }) { launcher, standIn async throws in
            _ = try await launcher.launch(KubernetesWorld.launch())
            standIn.faults.script(.status(503), next: 20, of: .list)
            standIn.faults.script(.before(.reset), next: 20, of: .list)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
            }
        }
        let slept = clock.slept.prefix(40)
        #expect(slept.count == 40)
        #expect(count.value >= 40)
        #expect(slept.allSatisfy { $0 <= .seconds(60) })
        #expect(slept.dropFirst(10).allSatisfy { $0 >= .seconds(30) })
        #expect(try #require(slept.first) <= .milliseconds(500))
    }

    @Test("the API says how long it wants to be left alone")
    func retryAfter() async throws {
        let clock = EagerClock()
        try await KubernetesWorld.run(clock: clock) { launcher, standIn async throws in
            _ = try await launcher.launch(KubernetesWorld.launch())
            standIn.faults.script(.status(429, retryAfter: 90), of: .list)
            try await Changes.of(launcher.jobs) { told async throws in
                #expect(try await told.nextWords() == "1 running")
            }
        }
        #expect(clock.slept.first == .seconds(90))
    }

    @Test("nobody there is no end of following; being cancelled is, and no error")
    func cancelled() async throws {
        let clock = ManualClock()
        let access = try KubernetesAccess(endpoint: "http://127.0.0.1:1", authority: nil, token: Tokens().token)
        try await KubernetesWorld.run(access, clock: clock) { launcher async throws in
            let jobs = launcher.jobs
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await jobs.follow { _ in } }
                for _ in 1...5 {
                    try await clock.sleepers(atLeast: 1)
                    clock.advanceToNextDeadline()
                }
                try await clock.sleepers(atLeast: 1)
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test("following a quiet watch ends when it is cancelled")
    func cancelledWatch() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            let jobs = launcher.jobs
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await jobs.follow { _ in } }
                try await Self.watching(standIn)
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test("what the listener throws ends it, even an error of a port")
    func listener() async throws {
        try await KubernetesWorld.run { launcher, _ async throws in
            _ = try await launcher.launch(KubernetesWorld.launch())
            let error = await #expect(throws: PortError.self) {
                try await launcher.jobs.follow { _ in throw PortError(.unavailable, "the tables are down") }
            }
            #expect(error?.message == "the tables are down")
        }
    }

    @Test("a long list comes in pages, and begins again if the next page is forgotten")
    func pages() async throws {
        try await KubernetesWorld.run { launcher, standIn async throws in
            let spec = KubernetesWorld.spec()
            for number in 1...10 {
                standIn.put(spec.manifest(for: try KubernetesWorld.launch(number)), in: Self.space)
            }
            #expect(try await Set(launcher.jobs.list().map(\.name)).count == 10)
            #expect(standIn.faults.requests[.list] == 3)
            standIn.faults.script(.status(410, reason: "Expired"), at: 5, of: .list)
            #expect(try await launcher.jobs.list().count == 10)
            #expect(standIn.faults.requests[.list] == 8)
            standIn.faults.stand(.status(410), for: .list)
            let error = await #expect(throws: PortError.self) { _ = try await launcher.jobs.list() }
            #expect(error?.code == .unavailable)
        }
    }
}

/// How often something was said.
private final class NoticeCount: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func add() { count.withLock { $0 += 1 } }
}
