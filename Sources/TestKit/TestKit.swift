// Contracts of the ports, a clock moved by hand, ports that fail on cue.

// This room holds no test of its own and imports no test library: a case throws `ContractFailure`, and whatever runs
// it shows that. A driver's tests are therefore one table:
//
//     @Test("the memory queue keeps its promise", arguments: MessageQueueContract.cases)
//     func promise(_ promise: ContractCase<MessageQueueContract.Harness>) async throws {
//         try await promise.run(harness())
//     }
