"""What goes wrong between us and a car, or a file a car left behind.

CarError
 +-- CannotConnectError     nothing answers at the address, or what answers is no adapter
 +-- NoAnswerError          the deadline passed (also a TimeoutError)
 +-- RefusedError           the car answered with a negative response
 +-- BadAddressError        an adapter address that cannot be understood
 +-- UnknownSignalError     a signal name that is not in the table
 +-- LogError               a log file that cannot be read
"""


class CarError(Exception):
    """Something about the car or its data; says what was wrong, what is allowed and what to do next."""

    code = "internal_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CannotConnectError(CarError):
    """Nothing answers at the address, or what answers is no adapter."""

    code = "car_unreachable"


class NoAnswerError(CarError, TimeoutError):
    """The deadline passed without an answer."""

    code = "timeout"


class RefusedError(CarError):
    """The car answered with a negative response."""

    code = "car_refused"


class BadAddressError(CarError):
    """An adapter address that cannot be understood."""

    code = "bad_arguments"


class UnknownSignalError(CarError):
    """A signal name that is not in the table."""

    code = "bad_arguments"


class LogError(CarError):
    """A log file that cannot be read."""

    code = "bad_arguments"
