"""The driver for J2534 pass-through devices (Windows), through udsoncan."""
