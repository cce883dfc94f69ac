// The noun `job`: jobs looked at and steered.
import ArgumentParser

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Look at jobs and steer them.",
        subcommands: [
            JobList.self, JobShow.self, JobExtract.self, JobWatch.self, JobPause.self, JobResume.self, JobVerify.self,
            JobCancel.self,
            JobSet.self,
        ]
    )
}
