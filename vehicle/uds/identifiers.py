"""Data by identifier (service 22): VIN, part numbers, software versions."""
