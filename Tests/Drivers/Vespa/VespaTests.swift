// Tries Vespa.
import Testing
