// The port to queues, kept by SQS.
