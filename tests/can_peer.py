"""The simulated car as control units on a CAN bus, for tests and measurements."""
