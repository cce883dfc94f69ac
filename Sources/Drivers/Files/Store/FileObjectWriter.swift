// An object that is written in parts: a temporary file until it is finished.
package import SluiceCore
import Synchronization

/// Writes to a file of its own, which gets the key's name when it is finished.
package final class FileObjectWriter: ObjectWriter {
    private let key: FileKey
    private let file: OpenFile
    private let store: FileObjectStore
    /// How much has been written; nil once it is finished, abandoned or broken.
    private let written: Mutex<Int64?> = Mutex(0)

    init(key: FileKey, file: OpenFile, store: FileObjectStore) {
        self.key = key
        self.file = file
        self.store = store
    }

    deinit {
        if written.withLock({ $0 }) != nil { removeFile() }
    }

    package func append(_ bytes: [UInt8]) async throws(PortError) {
        try await store.io.run { () throws(PortError) in
            let offset = try self.take()
            do throws(SystemFailure) {
                try self.file.write(bytes, at: offset)
            } catch {
                // Half a part may have been written: there is nothing to go on from.
                self.removeFile()
                throw error.portError()
            }
            self.written.withLock { $0 = offset + Int64(bytes.count) }
        }
    }

    package func finish() async throws(PortError) {
        try await store.io.run { () throws(PortError) in
            _ = try self.take()
            do throws(SystemFailure) {
                do throws(SystemFailure) {
                    try self.file.sync()
                } catch {
                    self.removeFile()
                    throw error
                }
                _ = try self.store.publish(self.file.path, as: self.key, onlyIfAbsent: false)
            } catch {
                throw error.portError()
            }
        }
    }

    package func abandon() async {
        await store.io.run {
            if self.written.withLock({ $0.take() }) != nil { self.removeFile() }
        }
    }

    /// Takes the writer's place in the file, so that a writer that broke or ended is not used again.
    private func take() throws(PortError) -> Int64 {
        guard let offset = written.withLock({ $0.take() }) else {
            throw PortError(
                .invalidRequest,
                "the writer of \"\(key.text)\" has finished, been abandoned, or failed before"
            )
        }
        return offset
    }

    private func removeFile() {
        do throws(SystemFailure) {
            try Folder.remove(file.path)
        } catch {
            // It goes with the folder of this store's temporaries, now or at the next opening.
        }
    }
}
