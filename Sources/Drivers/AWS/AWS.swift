// AWS as the drivers speak it: signed calls, credentials that renew themselves, retries in AWS's standard mode.
