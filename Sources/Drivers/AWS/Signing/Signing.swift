// Signature Version 4: headers, presigned URLs, chunks; pure functions of a request, credentials and a moment.
