// Tests of whole processes: the real program, started, stopped and killed from outside.
import Testing

/// All tests that start processes, one after the other, so that no more than a few processes run at once.
@Suite("The real program", .serialized)
enum RealProgram {}
