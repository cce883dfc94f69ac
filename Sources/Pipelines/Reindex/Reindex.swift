// Placeholder sentence.
