// What commands can be told, and how choices of jobs are spelt on the command line.
import ArgumentParser
import SluiceCore

enum ReindexTypeChoice: String, CaseIterable, ExpressibleByArgument {
    case post, patch

    var value: Job.ReindexType {
        switch self {
        case .post: .post
        case .patch: .patch
        }
    }
}

enum BadRecordChoice: String, CaseIterable, ExpressibleByArgument {
    case stop
    case deadLetter = "dead-letter"

    var value: Job.BadRecordRule {
        switch self {
        case .stop: .stop
        case .deadLetter: .deadLetter
        }
    }
}
