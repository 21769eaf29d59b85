"""The car: links to it, bytes and frames, the signal table, trouble codes, VINs."""
