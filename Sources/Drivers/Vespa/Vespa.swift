// Vespa as a source: sliced visits over its document API, told apart whether they have ended or failed.
