"""What analysis cannot do with the data it was given.

AnalysisError
 +-- MissingSignalError     a signal the analysis needs is not in the table
 +-- NotEnoughDataError     too few readings, too short a window
 +-- UnknownChoiceError     a part, statistic or method that does not exist
"""


class AnalysisError(Exception):
    """The analysis cannot answer; says what was missing and what to do next."""

    code = "bad_arguments"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class MissingSignalError(AnalysisError):
    """A signal the analysis needs is not in the table."""


class NotEnoughDataError(AnalysisError):
    """Too few readings or too short a window."""


class UnknownChoiceError(AnalysisError):
    """A part, statistic or method that does not exist."""
