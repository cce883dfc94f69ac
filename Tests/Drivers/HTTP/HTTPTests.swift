// Tries HTTP.
import Testing
