"""Trouble codes: their form, their structure, their meaning with provenance."""
