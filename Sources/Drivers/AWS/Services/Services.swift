// The calls of single services, as far as the house makes them.
