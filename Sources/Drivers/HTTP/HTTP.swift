// HTTP as the drivers speak it: one client with its limits, its TLS and its time-outs, answers read as they arrive.
