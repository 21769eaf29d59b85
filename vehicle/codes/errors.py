"""What goes wrong with trouble codes.

CarError
 +-- BadCodeError       text that is not a trouble code
 +-- BadSearchError     a search that cannot be answered
"""

from vehicle.errors import CarError


class BadCodeError(CarError):
    """Text that is not a trouble code; `nearest` holds codes of the catalogue that come close."""

    code = "bad_arguments"

    def __init__(self, message: str, hint: str = "", nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.nearest = nearest


class BadSearchError(CarError):
    """A search for codes that cannot be answered."""

    code = "bad_arguments"
