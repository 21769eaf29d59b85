"""A simulated car that speaks real ELM327 bytes: `sim:NAME?fault=KIND`."""

from vehicle.simulator.car import SimulatedCar, TcpAddress
from vehicle.simulator.offline import UNITS, drive
from vehicle.simulator.options import FAULTS, SimulatorOptions, parse_simulator

__all__ = ["FAULTS", "UNITS", "SimulatedCar", "SimulatorOptions", "TcpAddress", "drive", "parse_simulator"]
