"""The driver for CAN interfaces: OBD and UDS requests straight on the vehicle's bus, through python-can."""
