"""Runs Python that we do not trust."""
