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

enum RecordShapeChoice: String, CaseIterable, ExpressibleByArgument {
    case plain, vespa

    var value: Job.RecordShape {
        switch self {
        case .plain: .plain
        case .vespa: .vespa
        }
    }
}

enum IndexKindChoice: String, CaseIterable, ExpressibleByArgument {
    case structured, unstructured
    case semiStructured = "semi-structured"

    var value: IndexKind {
        switch self {
        case .structured: .structured
        case .unstructured: .unstructured
        case .semiStructured: .semiStructured
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
