// What the state of an SQLite file means to those who run it.
import SQLiteDriver
import SluiceCore

/// The findings of a diagnosis.
struct DatabaseFindings {
    private let diagnosis: DatabaseDiagnosis
    /// Who is looking.
    private let own: OwnerID

    /// Less room than this, and the next large page may not fit.
    private static let freeBytesMin = 256 << 20

    init(_ diagnosis: DatabaseDiagnosis, own: OwnerID) {
        self.diagnosis = diagnosis
        self.own = own
    }

    /// Of a damaged file, nothing is said about its queues.
    var all: [Finding] {
        [integrity(), durability(), room(), owners()] + (diagnosis.damage.isEmpty ? queues() : [])
    }

    private func integrity() -> Finding {
        guard let first = diagnosis.damage.first else {
            let items = diagnosis.items.values.reduce(0, +)
            return .sound(
                "database",
                "\(diagnosis.path) is sound: \(items) items, \(diagnosis.databaseBytes) bytes, schema \(diagnosis.schemaVersion), "
                    + "SQLite \(diagnosis.sqliteVersion)"
            )
        }
        return .wrong(
            "database",
            "\(diagnosis.path) is damaged: \(first)",
            fix: "restore it from a copy, or save what is left with `sqlite3 \(diagnosis.path) .recover`"
        )
    }

    private func durability() -> Finding {
        let detail = "journal \(diagnosis.journalMode), synchronous \(diagnosis.synchronous == 2 ? "full" : "normal")"
        guard diagnosis.journalMode == "wal", diagnosis.synchronous >= 1 else {
            return .wrong("durability", detail, fix: "keep the database on a local file system that can share memory")
        }
        return .sound("durability", detail)
    }

    private func room() -> Finding {
        guard let free = diagnosis.freeBytes else { return .sound("free space", "not told by the system") }
        guard free >= Self.freeBytesMin else {
            return .wrong(
                "free space",
                "\(free) bytes",
                fix: "free some: at least \(Self.freeBytesMin) bytes should be left"
            )
        }
        return .sound("free space", "\(free) bytes")
    }

    private func owners() -> Finding {
        let others = diagnosis.liveOwners.filter { $0 != own.text }
        return .sound("processes", others.isEmpty ? "no other has the database open" : others.joined(separator: ", "))
    }

    private func queues() -> [Finding] {
        diagnosis.queues.sorted { $0.key < $1.key }.map { name, depth in
            let detail = "\(depth.visible) visible, \(depth.invisible) invisible, \(depth.delayed) delayed"
            guard name.hasSuffix("dead-letters"), depth.visible > 0 else { return .sound("queue \(name)", detail) }
            return .wrong(
                "queue \(name)",
                detail,
                fix: "run `sluice worker`: it books what nobody could handle; what it can't read it names in its log"
            )
        }
    }
}
