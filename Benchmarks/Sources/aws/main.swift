// Measures the AWS driver by the calls that the house makes; the same work as peers/aws_presign.py and peers/aws_calls.py.
//
//     aws presign COUNT                        URLs for each second of CPU
//     aws presign COUNT --write SECONDS OUT    the URLs of a moment, one a line, to be compared
//     aws send URL CALLS                       batches to a peer that only says they arrived
//     aws emulator URL CALLS                   updates of items; then messages received and deleted

import AWSDriver
import Glibc
import HTTPDriver
import Meter
import SluiceCore

/// Of all sides; as many as the peers are given.
let tasksMax = 16

func report(_ work: String, perCPUSecond: Double, perSecond: Double? = nil) {
    let rate = perSecond.map { ",\"perSecond\":\(Int($0))" } ?? ""
    print(#"{"side":"sluice","work":"\#(work)","perCPUSecond":\#(Int(perCPUSecond))\#(rate)}"#)
}

/// One service of whoever listens there; the key is an account of the emulator's.
func client(_ service: AWSService, _ url: String, account: String) throws -> AWSClient {
    var options = HTTPOptions()
    options.connectionsPerHost = tasksMax
    let keys = try AWSCredentials(accessKeyID: account, secretAccessKey: "emulated")
    return AWSClient(
        service,
        region: "us-east-1",
        endpoint: try AWSEndpoint(url, setting: "URL"),
        credentials: RenewingCredentials(FixedCredentials(keys), clock: WallClock()),
        peer: try HTTPPeer(options)
    )
}

let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("presign", 3): presign(count: Int(arguments[2]) ?? 0)
case ("presign", 6): writeURLs(count: Int(arguments[2]) ?? 0, at: Int64(arguments[4]) ?? 0, to: arguments[5])
case ("send", 4): try await send(to: arguments[2], calls: Int(arguments[3]) ?? 0)
case ("emulator", 4): try await emulated(at: arguments[2], calls: Int(arguments[3]) ?? 0)
default:
    print("usage: aws presign COUNT [--write SECONDS OUT] | send URL CALLS | emulator URL CALLS")
    exit(64)
}
