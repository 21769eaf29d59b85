"""The simulated car behind a DoIP gateway on the loopback, for tests."""
