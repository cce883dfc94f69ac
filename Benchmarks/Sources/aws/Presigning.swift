// Presigned URLs of many keys, for each a String as Python makes one.

import AWSDriver
import Glibc
import Meter
import SluiceCore

private func keys(_ count: Int) -> [String] {
    (0..<count).map { "exports/2024/05/part-\(pad($0, 6))/file \($0).json.gz" }
}

/// Digits as Python's `:06d` writes them.
private func pad(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

private func presigner(at moment: Timestamp) -> Presigner {
    guard
        let credentials = try? AWSCredentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        )
    else { fatalError("the example's keys are well formed") }
    return Presigner(
        AWSSigner(service: "s3", region: "us-east-1"),
        host: "examplebucket.s3.amazonaws.com",
        expiry: .seconds(3600),
        credentials: credentials,
        at: moment
    )
}

/// Each run begins with the derivation of the key.
func presign(count: Int) {
    let keys = keys(count)
    var bytes = 0
    let seconds = Meter().seconds {
        var presigner = presigner(at: WallClock().now)
        for key in keys { bytes &+= presigner.url(key).utf8.count }
    }
    precondition(bytes > 0)
    report("presigned URLs", perCPUSecond: Double(count) / seconds)
}

func writeURLs(count: Int, at seconds: Int64, to path: String) {
    guard let file = fopen(path, "w") else { fatalError("\(path) can't be written") }
    var presigner = presigner(at: Timestamp(milliseconds: seconds * 1000))
    for key in keys(count) { fputs(presigner.url(key) + "\n", file) }
    fclose(file)
}
