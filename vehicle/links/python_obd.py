"""The driver for adapters that only python-OBD can drive: its line, our decoding."""
