"""Readings per second straight on CAN beside the same car through an ELM327 adapter."""
