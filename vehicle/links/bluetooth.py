"""The driver for Bluetooth LE adapters: ELM327 bytes over GATT, through bleak."""
