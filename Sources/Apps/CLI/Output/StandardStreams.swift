// The two streams of the program: results, and everything else.
import Glibc
import SluiceAssembly

/// Where results go; nothing else does.
enum StandardOutput {
    static func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// Ends the process if nobody reads any more, as `| head` does.
    static func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    if errno != EPIPE {
                        StandardError.write("sluice: standard output: \(String(cString: strerror(errno)))\n")
                    }
                    exit(ExitStatus.error.rawValue)
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// Where progress and complaints go.
enum StandardError {
    static func write(_ text: String) {
        StandardErrorLog.writeToStandardError(Array(text.utf8))
    }
}
