"""How a replay is addressed: `replay:SESSION?speed=10&from_s=60&loop=1`."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

from vehicle.errors import BadAddressError

FASTEST = 200.0
OPTIONS = (
    "speed=0.1 to 200 (how fast it plays), from_s=60 (where it begins), loop=1 (begins again at the end)"
)
_SLOWEST = 0.1


class ReplayAddress(NamedTuple):
    """A session to play back; `from_s` is None for the session's first reading."""

    session_id: str
    speed: float = 1.0
    from_s: float | None = None
    loop: bool = False


def parse_replay(address: str) -> ReplayAddress:
    """Read a replay's address; raises BadAddressError naming the options there are."""
    session_id, _, query = address.removeprefix("replay:").partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        given = dict(pairs)
        speed, from_s = float(given.pop("speed", "1")), given.pop("from_s", None)
        begin = None if from_s is None else float(from_s)
        loop = given.pop("loop", "0")
    except ValueError as error:
        raise _bad(address, str(error)) from error
    if given:
        raise _bad(address, f"{', '.join(sorted(given))} is not an option of a replay")
    if (
        not address.startswith("replay:")
        or not session_id
        or loop not in ("0", "1")
        or not _SLOWEST <= speed <= FASTEST
    ):
        raise _bad(address, "a session, a speed in range and loop=0 or 1 are needed")
    if begin is not None and not abs(begin) < 1e9:
        raise _bad(address, f"from_s={from_s} is no position in a session")
    return ReplayAddress(session_id, speed, begin, loop == "1")


def _bad(address: str, why: str) -> BadAddressError:
    return BadAddressError(
        f"{address!r}: {why}.", f"It reads replay:SESSION; after ? may follow {OPTIONS}, joined by &."
    )
