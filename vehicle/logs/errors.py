"""What can be wrong with a log file.

LogError
 +-- LogNotFoundError       no such file, a folder, or a file that may not be read
 +-- UnknownFormatError     none of the formats fits, or the named one does not exist
 |    +-- BinaryLogError    bytes where text was expected: compressed, a picture, a database
 +-- NoUsableSignalError    the format is understood but holds nothing that can be kept
 +-- BrokenLogError         cut short or damaged so that it cannot be read at all
 +-- LogTooLargeError       a format that must be read in one piece, and too big for that
 +-- MissingReaderError     the optional library for this format is not installed
"""

from vehicle.errors import LogError


class LogNotFoundError(LogError):
    """There is no file at the path, or it may not be read."""

    code = "not_found"


class UnknownFormatError(LogError):
    """None of the formats fits the file, or the named format does not exist."""


class BinaryLogError(UnknownFormatError):
    """The file holds bytes of another kind than any log format."""


class NoUsableSignalError(LogError):
    """The format is understood, but the file holds nothing that can be kept."""


class BrokenLogError(LogError):
    """The file is cut short or damaged so that it cannot be read."""


class LogTooLargeError(LogError):
    """The format must be read in one piece and the file is too large for that."""

    code = "too_large"


class MissingReaderError(LogError):
    """The optional library that reads this format is not installed."""

    code = "unsupported"
