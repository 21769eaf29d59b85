"""What goes wrong when code is to be run; an error *in* the code is no exception but a RunResult.

SandboxError
 +-- NotOfferedError    this machine cannot confine code, so none is run
 +-- BusyError          every place and every place in the queue is taken
 +-- BadRequestError    a frame, a limit or a workspace name that cannot be used
"""


class SandboxError(Exception):
    """Something about running code; says what was wrong, what is allowed and what to do next."""

    code = "internal_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotOfferedError(SandboxError):
    """This machine cannot confine code, so none is run."""

    code = "unsupported"


class BusyError(SandboxError):
    """Every place and every place in the queue is taken."""

    code = "busy"


class BadRequestError(SandboxError):
    """A frame, a limit or a workspace name that cannot be used."""

    code = "bad_arguments"
