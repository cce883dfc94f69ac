// Keeps every promise of the ports in memory, for tests, simulation and programs that need no yesterday.

// All tables and queues of one backend are one value behind one lock (`MemoryState`), so a batch across them is a few
// lines under that lock. A call that need not wait does not suspend: what runs on it is as deterministic as its caller.
