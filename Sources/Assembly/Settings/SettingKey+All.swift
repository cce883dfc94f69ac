// Every key there is, with its range, its default and its reason.
import Logging
import SluiceCore
import SluiceEngine

extension SettingKey {
    /// All keys, in the order in which they are printed; defaults are those of the settings' own types.
    package static let all = storage + aws + log + reindex + peers + kubernetes + limits + times

    static let backendName = "backend"

    private static let storage = [
        choice(
            backendName,
            \.backend,
            "Where jobs, queues and books are kept: one SQLite file, or DynamoDB, SQS and S3."
        ),
        SettingKey(
            "database.path",
            type: "path",
            range: "a path",
            environment: "SLUICE_DATABASE",
            "The SQLite file; its objects lie beside it in PATH.objects.",
            text: \.databasePath,
            store: { text, settings in
                guard !text.isEmpty else { return nil }
                settings.databasePath = text
                return ()
            }
        ),
        choice(
            "database.durability",
            \.durability,
            "What a commit survives: a loss of power, or only the process's end."
        ),
        seconds("database.busy-wait.seconds", \.busyWait, 0.1...3600, "How long a write waits for another process's."),
    ]

    private static let log = [
        choice("log.level", \.logLevel, "The least level that is logged to standard error."),
        choice("log.format", \.logFormat, "Lines for people, or a JSON object a line."),
    ]

    private static let reindex = [
        integer("reindex.concurrency", \.reindex.concurrency, 1...256, "slices", "Slices of a new job."),
        integer(
            "reindex.page-size",
            \.reindex.pageSize,
            1...10_000,
            "records",
            "Records a page should hold, of a new job."
        ),
        SettingKey(
            "reindex.rate",
            type: "number",
            range: "over 0 to 10000000, or unlimited",
            unit: "records a second",
            "Delivery rate of a new job, over all workers.",
            text: { $0.reindex.rate.map(plain) ?? "unlimited" },
            store: { text, settings in
                if text == "unlimited" {
                    settings.reindex.rate = nil
                    return ()
                }
                guard let value = Double(text), value > 0, value <= 10_000_000 else { return nil }
                settings.reindex.rate = value
                return ()
            }
        ),
        SettingKey(
            "reindex.failure-budget",
            type: "number or share",
            range: "a number such as 500, a share such as 1%, or off",
            unit: "dead letters",
            "Dead letters at which a new job pauses.",
            text: { $0.reindex.failureBudget ?? "off" },
            store: { text, settings in
                if text == "off" {
                    settings.reindex.failureBudget = nil
                    return ()
                }
                do { _ = try FailureBudget(text) } catch { return nil }
                settings.reindex.failureBudget = text
                return ()
            }
        ),
    ]

    private static let limits = [
        integer("chunk.records.max", \.engine.chunkRecordsMax, 1...100, "records", "Records delivered together."),
        integer(
            "chunk.bytes.max",
            \.engine.chunkBytesMax,
            1024...921_600,
            "bytes",
            "Bytes delivered together, unless one record alone is larger."
        ),
        integer("page.bytes.max", \.engine.pageBytesMax, 65_536...67_108_864, "bytes", "A page ends at this size."),
        integer(
            "record.bytes.max",
            \.engine.recordBytesMax,
            1024...268_435_456,
            "bytes",
            "A larger record is refused."
        ),
        integer(
            "inflight.max",
            \.engine.inFlightMax,
            100...10_000_000,
            "records",
            "Extraction of a job waits while more are undelivered."
        ),
        integer("slices.max", \.engine.slicesAtOnce, 1...256, "slices", "Slices extracted at once in one process."),
        integer(
            "recent-pages.bytes.max",
            \.engine.recentPayloadBytesMax,
            0...1_073_741_824,
            "bytes",
            "Pages just cut that stay in memory until they are delivered."
        ),
        integer("deliveries.max", \.engine.deliveriesMax, 1...1024, "chunks", "Deliveries at once in one process."),
        integer("confirmations.max", \.engine.confirmationsMax, 1...256, "receipts", "Receipts asked about at once."),
        integer(
            "attempts.max",
            \.engine.attemptsMax,
            1...100,
            "tries",
            "Tries of a delivery before its records are given up."
        ),
        SettingKey(
            "backoff.factor",
            type: "number",
            range: "1 to 10",
            "By how much each wait between tries may grow.",
            text: { plain($0.engine.backoff.factor) },
            store: { text, settings in
                guard let value = Double(text), (1...10).contains(value) else { return nil }
                settings.engine.backoff.factor = value
                return ()
            }
        ),
    ]

    private static let times = [
        seconds(
            "backoff.initial.seconds",
            \.engine.backoff.initial,
            0.001...60,
            "The longest first wait between tries."
        ),
        seconds("backoff.max.seconds", \.engine.backoff.maximum, 0.001...3600, "The longest wait between tries."),
        seconds(
            "commit-delay.seconds",
            \.engine.commitDelay,
            0...1,
            "How long a delivered chunk may wait for others to share a commit."
        ),
        seconds("lease.seconds", \.engine.lease, 1...3600, "How long a slice's claim holds unless renewed."),
        seconds(
            "visibility.seconds",
            \.engine.visibility,
            // It is extended at half, and SQS hides a message for 12 hours in all.
            1...28_000,
            "How long a chunk in hand is hidden from others; extended at half."
        ),
        seconds("poll.seconds", \.engine.longPoll, 0.1...20, "How long a queue is waited on for a message."),
        seconds(
            "settings-age.seconds",
            \.engine.settingsAge,
            0...1,
            "How old a job's settings may be when they are used."
        ),
        seconds("tick.seconds", \.engine.tick, 0.05...60, "How often counters are stored and ends are looked for."),
        seconds(
            "idle-settle.seconds",
            \.engine.idleSettle,
            0...3600,
            "On AWS, how long there must be nothing to be seen until a worker counts as idle."
        ),
        seconds("stop-grace.seconds", \.engine.grace, 0...300, "How long a stop waits for deliveries under way."),
        seconds(
            "confirm.interval.seconds",
            \.engine.confirmInterval,
            0.1...3600,
            "How often open receipts are asked about."
        ),
        seconds(
            "confirm.deadline.seconds",
            \.engine.confirmDeadline,
            // A day less than receipts are kept.
            60...2_505_600,
            "How long a sink may take to confirm."
        ),
        seconds(
            "repair-after.seconds",
            \.engine.repairAfter,
            60...604_800,
            "Records that stood still so long are sent again."
        ),
        seconds(
            "ledger-retention.seconds",
            \.engine.ledgerRetention,
            2_592_000...315_360_000,
            "How long a job's ledger is kept after its end."
        ),
    ]
}
