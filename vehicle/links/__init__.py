"""Ways to a car: `open_link(address)` gives a link that asks, reconnects, and says where it stands."""

from vehicle.links.addresses import SCHEMES, open_link, scheme_of
from vehicle.links.link import Link, LinkInfo, LinkState, Priority, Ticket

__all__ = [
    "SCHEMES",
    "Link",
    "LinkInfo",
    "LinkState",
    "Priority",
    "Ticket",
    "open_link",
    "scheme_of",
]
