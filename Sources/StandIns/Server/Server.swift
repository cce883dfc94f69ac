// The HTTP server under every stand-in: it binds, says where, breaks connections on cue, and stops in order.
