"""Trouble codes with their status (service 19 02), and clearing them (service 14)."""
