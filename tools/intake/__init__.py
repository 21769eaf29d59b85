"""Readings that devices and programs send: three bodies, one way into a session."""
