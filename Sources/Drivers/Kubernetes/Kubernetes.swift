// Kubernetes as a launcher: an extraction is a Job, started once under its name and followed to its end.
