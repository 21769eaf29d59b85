"""Diagnostics by UDS (ISO 14229-1) over any link: codes with status, data identifiers, clearing."""
