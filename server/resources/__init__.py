"""The HTTP routes people expect beside the tools: vehicles, sessions, readings, artifacts, alerts."""
