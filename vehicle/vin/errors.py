"""What goes wrong with VINs.

CarError
 +-- BadVinError        text that is not a VIN
 +-- VinTableError      an offline table that is missing, or is not one
 +-- VinServiceError    the online service did not answer, or not with a decoded VIN
"""

from vehicle.errors import CarError


class BadVinError(CarError):
    """Text that is not a VIN."""

    code = "bad_arguments"


class VinTableError(CarError):
    """An offline VIN table that is missing, or a file that is not one."""

    code = "not_found"


class VinServiceError(CarError):
    """The online service did not answer in time, or answered with something else than a decoded VIN."""

    code = "unsupported"
