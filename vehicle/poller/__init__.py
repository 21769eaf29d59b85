"""Reading a car continuously: wanted signals in, batches of readings with gaps and states out."""

from vehicle.poller.batch import Batch, Gap, StateChange
from vehicle.poller.poller import NothingToReadError, Poller
from vehicle.poller.support import read_support

__all__ = ["Batch", "Gap", "NothingToReadError", "Poller", "StateChange", "read_support"]
