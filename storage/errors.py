"""What goes wrong with what we remember.

StorageError
 +-- NotFoundError        no such vehicle, session, artifact or signal
 +-- InvalidDataError     data that must not be stored as it is (also a ValueError)
 |    +-- TooLargeError   a file larger than a database row holds
 +-- StorageFullError     the disk or the database is full; everything acknowledged before is kept
 +-- StorageBusyError     another writer holds the database longer than we wait (also a TimeoutError)
"""


class StorageError(Exception):
    """Something about stored data; says what was wrong, what is allowed and what to do next."""

    code = "internal_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFoundError(StorageError):
    """No such vehicle, session, artifact or signal."""

    code = "not_found"


class InvalidDataError(StorageError, ValueError):
    """Data that must not be stored as it is."""

    code = "bad_arguments"


class TooLargeError(InvalidDataError):
    """A file larger than a database row holds."""

    code = "too_large"


class StorageFullError(StorageError):
    """The disk or the database is full; everything acknowledged before is kept."""

    code = "too_large"


class StorageBusyError(StorageError, TimeoutError):
    """Another writer holds the database longer than we wait."""

    code = "busy"
