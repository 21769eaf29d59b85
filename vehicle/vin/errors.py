"""What goes wrong with VINs.

CarError
 +-- BadVinError             text that is not a VIN
 +-- VinTableError           a file that is not a vPIC table, or one that cannot be installed
 |    +-- NoVinTableError    no file at the path given
 +-- VinServiceError         the online service did not answer, or not with a decoded VIN
"""

from vehicle.errors import CarError


class BadVinError(CarError):
    """Text that is not a VIN."""

    code = "bad_arguments"


class VinTableError(CarError):
    """A file that is not a vPIC table, or a table that cannot be installed."""

    code = "unsupported"


class NoVinTableError(VinTableError):
    """No vPIC table at the path given."""

    code = "not_found"


class VinServiceError(CarError):
    """The online service did not answer in time, or answered with something else than a decoded VIN."""

    code = "unsupported"
