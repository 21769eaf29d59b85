"""What an adapter driver offers its owner thread: connect, find the car, ask, notice trouble, disconnect."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType

from vehicle.elm327.outcomes import Reply
from vehicle.links.link import LinkInfo

Patience = Callable[[float], None]
GiveUp = Callable[[], bool]


class Conversation(ABC):
    """One adapter as its owner thread sees it. Times are absolute, in seconds of the monotonic clock.

    Every method but `connect` may raise WireLostError where the line is gone.
    """

    info: LinkInfo
    batch_limit: int = 6
    # Signals that this way cannot tell, or whose bytes are not to be believed here, with the reason.
    withheld: Mapping[str, str] = MappingProxyType({})
    # Seconds from a look for a car that is not there to the next: at first, and at last, as looks keep a bus awake.
    look_pauses_s: tuple[float, float] = (1.0, 15.0)
    # A closing link sets this, so that nothing long goes on.
    give_up: GiveUp = staticmethod(lambda: False)

    @abstractmethod
    def connect(self) -> None:
        """Open the line and prepare the adapter; raises CannotConnectError."""

    @abstractmethod
    def find_car(self, until_s: float) -> str:
        """Look for the car; return an empty text where it answers, else why it does not."""

    @abstractmethod
    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Ask and return what came by `until_s`; calls `patience(new until_s)` where an ECU needs more time."""

    @abstractmethod
    def command(self, text: str, until_s: float) -> str | None:
        """Send the adapter a command and return what it printed; None where nothing came."""

    @abstractmethod
    def recover(self) -> bool:
        """Get in step with the adapter again after a miss; False where it does not answer at all."""

    @abstractmethod
    def set_up_again(self) -> None:
        """Repeat the settings after the adapter restarted."""

    def idle(self) -> None:  # noqa: B027  # most drivers have nothing to do then
        """Do what can wait; called when nobody asks for anything."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the line; never raises."""

    def end(self) -> None:  # noqa: B027  # most drivers have nothing to end
        """Let go of what outlives a connection; called once, when the link is closed."""
