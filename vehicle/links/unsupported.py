"""The error of a way to a car that cannot work on this machine."""

from __future__ import annotations

from vehicle.errors import CannotConnectError


class UnsupportedLinkError(CannotConnectError):
    """This machine, or this kind of adapter, lacks what the link needs; trying again will not help."""

    code = "unsupported"
