// A peer whose answers a test writes down, request by request.
