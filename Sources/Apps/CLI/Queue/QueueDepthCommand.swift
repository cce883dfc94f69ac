// How many messages each queue holds: `sluice queue depth`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct QueueDepthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "depth",
        abstract: "List all queues with their messages: visible, invisible (in somebody's hands), delayed."
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let depths = try await common.withDeployment { deployment in
            var depths: [NamedDepth] = []
            for queue in deployment.context.backend.queues.all {
                depths.append(NamedDepth(name: queue.name, depth: try await queue.depth()))
            }
            return depths
        }
        output.write(depths.map(\.record)) { NamedDepth.table(depths) }
    }
}

/// A queue and what it holds.
struct NamedDepth: Sendable {
    let name: String
    let depth: QueueDepth

    var record: JSONObject {
        [
            "queue": .string(name), "visible": .number(JSONNumber(depth.visible)),
            "invisible": .number(JSONNumber(depth.invisible)), "delayed": .number(JSONNumber(depth.delayed)),
        ]
    }

    static func table(_ depths: [NamedDepth]) -> TextTable {
        var table = TextTable(.text("QUEUE"), .number("VISIBLE"), .number("INVISIBLE"), .number("DELAYED"))
        for queue in depths {
            table.add(queue.name, "\(queue.depth.visible)", "\(queue.depth.invisible)", "\(queue.depth.delayed)")
        }
        return table
    }
}
