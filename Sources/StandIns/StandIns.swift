// Peers that can't be installed here, over real HTTP, with every fault of their contracts on cue.
