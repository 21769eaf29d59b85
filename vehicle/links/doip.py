"""The driver for diagnostics over Ethernet (DoIP, ISO 13400-2), through doipclient."""
