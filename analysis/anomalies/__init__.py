"""Finds what does not fit in a session: by fixed rules, or against the same car's healthy sessions."""
