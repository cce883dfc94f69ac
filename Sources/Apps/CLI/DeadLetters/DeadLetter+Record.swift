// Dead letters as they are shown, and the walk over all of a job's.
import SluiceAssembly
import SluiceCore
import SluiceEngine

/// A dead letter with the size of its whole record.
struct SizedLetter: Sendable {
    let letter: DeadLetter
    let bytes: Int

    /// The table's fields, with the size in place of the record itself.
    func record() throws -> JSONObject {
        let attributes = try letter.attributes()
        var record = JSONObject()
        for name in ["reindex_id", "chunk", "position", "record_id", "reason", "attempts"] {
            record[name] = attributes[name].map(JSONValue.init)
        }
        record["bytes"] = .number(JSONNumber(bytes))
        record["died_at"] = .string("\(letter.diedAt)")
        return record
    }

    static func table(_ letters: [SizedLetter]) -> TextTable {
        var table = TextTable(
            .text("RECORD_ID"),
            .text("CHUNK"),
            .number("POSITION"),
            .number("ATTEMPTS"),
            .number("BYTES"),
            .text("REASON")
        )
        for sized in letters {
            let letter = sized.letter
            table.add(
                letter.recordID ?? "-",
                letter.chunkPath,
                "\(letter.position)",
                "\(letter.attempts)",
                "\(sized.bytes)",
                letter.reason
            )
        }
        return table
    }
}

extension Deployment {
    /// Does something with each dead letter of a job, in the order of the source.
    ///
    /// - Throws: `JobError.unknown` if there is no such job.
    func forEachDeadLetter(of id: JobID, _ body: (DeadLetter) async throws -> Void) async throws {
        _ = try await jobs.get(id)
        var cursor: TableCursor?
        repeat {
            let page = try await deadLetters.list(id, after: cursor)
            for letter in page.letters { try await body(letter) }
            cursor = page.next
        } while cursor != nil
    }

    func sized(_ letter: DeadLetter) async throws -> SizedLetter {
        guard let key = letter.payloadKey else { return SizedLetter(letter: letter, bytes: letter.payload.count) }
        // The item holds only its beginning.
        let bytes = try await context.backend.objects.size(of: key) ?? letter.payload.count
        return SizedLetter(letter: letter, bytes: bytes)
    }
}
