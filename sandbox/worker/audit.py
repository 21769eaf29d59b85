"""Refuses by Python's own audit events (PEP 578) what a missing kernel layer would have refused.

Only used in the reduced tier. It is no boundary: C++ code of a library that opens a file raises no event.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

_NEVER = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.kill",
    "ctypes.",
    "os.chown",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.setxattr",
    "os.utime",
    "os.truncate",
    "pty.",
    "ftplib.",
    "smtplib.",
    "urllib.",
    "http.",
    "winreg.",
    "sys.settrace",
    "sys.setprofile",
    "signal.pthread_kill",
    "webbrowser.",
)
_WRITES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.")
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(read: Iterable[Path], write: Path) -> None:
    """Refuse events from now on, for good: an audit hook cannot be removed."""
    readable = tuple(str(path) for path in read)
    writable = str(write)
    real, join, isstr = os.path.realpath, os.path.join, isinstance  # the user's code may replace the names

    def inside(path: object, folders: tuple[str, ...]) -> bool:
        if not isstr(path, (str, bytes, os.PathLike)):
            return isstr(path, int)
        full = real(join(writable, os.fsdecode(path)))  # type: ignore[arg-type] # checked above
        return any(full == folder or full.startswith(folder + "/") for folder in folders)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            writes = isstr(arguments[2], int) and bool(arguments[2] & _WRITE_FLAGS)  # type: ignore[operator] # checked
            if not inside(
                arguments[0], (writable, os.devnull) if writes else (writable, os.devnull, *readable)
            ):
                raise PermissionError(f"{arguments[0]!r} is outside of the current folder")
        elif event.startswith(_WRITES) and not all(inside(path, (writable,)) for path in arguments[:1]):
            raise PermissionError(f"{event} outside of the current folder")
        elif event in ("os.listdir", "os.scandir", "sqlite3.connect", "os.chdir"):
            if arguments[0] != ":memory:" and not inside(arguments[0], (writable, *readable)):
                raise PermissionError(f"{event} outside of the current folder")
        elif event.startswith(_NEVER):
            raise PermissionError(f"{event} is not possible in here")

    sys.addaudithook(hook)
