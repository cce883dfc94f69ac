// Threads for calls that block: what order work is done in, and that all of it is.
import Synchronization
import Testing

@testable import FilesDriver

@Suite("Blocking work", .timeLimit(.minutes(10)))
struct BlockingIOTests {
    @Test("is done in the order in which it came, however much waits while the thread is never idle")
    func order() async {
        let io = BlockingIO(threads: 1)
        let done = Mutex<[Int]>([])
        let gate = Mutex(())
        // The first one holds the thread until all of them wait.
        gate.withLock { _ in
            io.submit { gate.withLock { _ in } }
            for number in 0..<5000 { io.submit { done.withLock { $0.append(number) } } }
        }
        await io.run {}
        #expect(done.withLock { $0 } == Array(0..<5000))
    }

    @Test("is done by all threads, each piece once")
    func threads() async {
        let io = BlockingIO(threads: 4)
        let (done, continuation) = AsyncStream.makeStream(of: Int.self)
        for number in 0..<5000 { io.submit { continuation.yield(number) } }
        var numbers: [Int] = []
        for await number in done.prefix(5000) { numbers.append(number) }
        #expect(numbers.sorted() == Array(0..<5000))
    }
}
