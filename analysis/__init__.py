"""Pure functions from signal tables to findings."""
