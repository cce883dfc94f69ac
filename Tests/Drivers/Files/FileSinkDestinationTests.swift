// Whether a path can be a job's output: said before the job is created.
import Glibc
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("the destination of a file sink")
struct FileSinkDestinationTests {
    @Test("a new file in a folder that is there can be written")
    func fine() throws {
        let folder = try TestFolder()
        try FileSink.checkDestination(folder.path("out.jsonl"), overwrite: false)
        try folder.write("old", as: "out.jsonl")
        try FileSink.checkDestination(folder.path("out.jsonl"), overwrite: true, source: folder.path("none.jsonl"))
        try Folder.make(folder.path("source"))
        try FileSink.checkDestination(folder.path("out.jsonl"), overwrite: true, source: folder.path("source"))
    }

    @Test("what can't be written is refused by field, path and reason")
    func refused() throws {
        let folder = try TestFolder()
        try folder.write("old", as: "old.jsonl")
        try Folder.make(folder.path("folder"))
        #expect(symlink("old.jsonl", folder.path("link.jsonl")) == 0)
        #expect(link(folder.path("old.jsonl"), folder.path("same.jsonl")) == 0)
        let cases: [(String, Bool, String?, String)] = [
            (folder.path("old.jsonl"), false, nil, "exists; choose another name, or allow --overwrite"),
            (folder.path("folder"), true, nil, "is a folder"),
            (folder.path("folder/"), true, nil, "does not name a file"),
            ("out.jsonl", true, nil, "does not name a file"),
            (folder.path("link.jsonl"), true, nil, "is a symbolic link"),
            ("/dev/null", true, nil, "is not a plain file"),
            (folder.path("none/out.jsonl"), false, nil, "the folder \(folder.path("none")) does not exist"),
            (folder.path("old.jsonl/out.jsonl"), false, nil, "is not a folder"),
            (folder.path("same.jsonl"), true, folder.path("old.jsonl"), "is the file that is read"),
            (folder.path("folder/out.jsonl"), false, folder.path("folder"), "lies in the folder that is read"),
        ]
        for (path, overwrite, source, reason) in cases {
            let error = #expect(throws: JobError.self) {
                try FileSink.checkDestination(path, overwrite: overwrite, source: source)
            }
            #expect(error?.description.hasPrefix("sink: \(path) ") == true)
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test("a folder that may not be written is named", .enabled(if: !isRoot, "root may write everywhere"))
    func forbidden() throws {
        let folder = try TestFolder()
        #expect(chmod(folder.path, 0o500) == 0)
        let error = #expect(throws: JobError.self) {
            try FileSink.checkDestination(folder.path("out.jsonl"), overwrite: false)
        }
        #expect(error?.description.contains("Permission denied; give this user the permission") == true)
    }
}
