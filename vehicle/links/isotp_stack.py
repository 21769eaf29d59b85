"""ISO-TP towards several ECUs at once on one CAN bus, through can-isotp, without threads of its own."""
