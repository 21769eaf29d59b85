"""Asking one ECU a UDS service; refusals and silence become typed errors."""
