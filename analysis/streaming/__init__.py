"""Checks on readings as they come in: limits, rates, trends, trouble codes, losses; each raised once, cleared once."""
