// Tries StandIns.
import Testing
