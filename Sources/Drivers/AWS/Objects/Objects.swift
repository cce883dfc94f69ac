// The port to objects, kept by S3.
