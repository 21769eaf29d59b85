"""What can be read from a car: the signals with units, limits and formulas, as data with their sources."""

from vehicle.signals.custom import read_signal_file
from vehicle.signals.decode import DataLengthError, decode_mode01, decode_signal
from vehicle.signals.encode import NotEncodableError, encode_mode01
from vehicle.signals.formula import FormulaError
from vehicle.signals.lookup import find_signal, meaning_of, signals_of_pid
from vehicle.signals.split import SplitError, split_mode01
from vehicle.signals.table import Pid, Signal, SignalMap, load_pids

SIGNALS = SignalMap()

__all__ = [
    "SIGNALS",
    "DataLengthError",
    "FormulaError",
    "NotEncodableError",
    "Pid",
    "Signal",
    "SplitError",
    "decode_mode01",
    "decode_signal",
    "encode_mode01",
    "find_signal",
    "load_pids",
    "meaning_of",
    "read_signal_file",
    "signals_of_pid",
    "split_mode01",
]
