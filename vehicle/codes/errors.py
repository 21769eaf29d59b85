"""What goes wrong with trouble codes.

CarError
 +-- BadCodeError     text that is not a trouble code
"""

from vehicle.errors import CarError


class BadCodeError(CarError):
    """Text that is not a trouble code; `nearest` holds well-formed codes that come close."""

    code = "bad_arguments"

    def __init__(self, message: str, hint: str = "", nearest: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.nearest = nearest
