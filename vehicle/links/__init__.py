"""Ways to a car: `open_link(address)` gives a link that asks, reconnects, and says where it stands."""

from vehicle.links.addresses import SCHEMES, open_link, scheme_of
from vehicle.links.finding import FoundPort, find_ports
from vehicle.links.link import Link, LinkInfo, LinkState, Priority, Ticket

__all__ = [
    "SCHEMES",
    "FoundPort",
    "Link",
    "LinkInfo",
    "LinkState",
    "Priority",
    "Ticket",
    "find_ports",
    "open_link",
    "scheme_of",
]
