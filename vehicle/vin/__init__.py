"""VINs: check digit, year, maker and, with a table or online, the model."""
