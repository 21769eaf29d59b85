"""Listening on a CAN bus without ever sending: OBD answers that others ask for, decoded as they pass."""
