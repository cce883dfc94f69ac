// Runs tasks where the answers that they wait for arrive.
import NIOCore

/// An event loop as an executor of tasks.
///
/// A task that waits for the network on another thread is woken through the kernel, once for each step of an exchange;
/// that costs more than the step itself. Nothing that takes long may run here.
final class LoopExecutor: TaskExecutor {
    let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
