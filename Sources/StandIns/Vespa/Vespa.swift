// Vespa as far as document/v1 visits go: buckets, slices, tokens, both forms of answers, and all that can go wrong.
