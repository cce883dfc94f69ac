// Who we are to AWS: where credentials come from, and how they are renewed before they expire.
