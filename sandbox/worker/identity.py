"""Who the sandbox's processes are: a user of their own when the server is root, and without privileges always."""

import ctypes
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.worker import kernel, rootview
from sandbox.worker.orders import OWN_FOLDER

_CAPABILITIES_V3 = 0x20080522
_PROBE = "encodings/__init__.py"  # a file below the standard library that every interpreter has


@dataclass(frozen=True)
class Identity:
    """What could be done about the process's user, and why not more."""

    uid: int
    separated: bool
    own_root: bool
    reason: str = ""


def settle(uid: int | None, read: Iterable[Path], write: Path) -> Identity:
    """Give up what this process can do beyond running Python; `uid` is None when the server is not root.

    Raises OSError when privileges could not be dropped: the process must not go on then.
    """
    if uid is None and os.getuid() == 0:
        raise PermissionError("root without a user to become")
    if uid is None:
        return Identity(os.getuid(), separated=False, own_root=False, reason="the server is not root")
    roots = list(read)
    own_root, reason = _own_root(roots, write)
    if not _can_pass(uid, roots):
        os.chown(write / OWN_FOLDER, 0, 0)  # without capabilities root reaches only what is root's
        _drop_capabilities()
        return Identity(
            0,
            separated=False,
            own_root=own_root,
            reason=f"user {uid} cannot reach the interpreter; runs as root without capabilities",
        )
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    return Identity(uid, separated=True, own_root=own_root, reason=reason)


def _own_root(read: list[Path], write: Path) -> tuple[bool, str]:
    try:
        rootview.enter(read, write)
    except (OSError, AttributeError) as error:
        return False, f"no file system of its own: {error}"
    return True, ""


def _can_pass(uid: int, read: list[Path]) -> bool:
    """Say whether `uid` can list every folder it will import from."""
    os.seteuid(uid)
    try:
        for path in read:
            if path.is_dir():
                os.scandir(path).close()
        return any(
            (path / _PROBE).is_file() and os.access(path / _PROBE, os.R_OK, effective_ids=True)
            for path in read
        )
    except PermissionError:
        return False
    finally:
        os.seteuid(0)


def _drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    kernel.call("capset", header, (ctypes.c_uint32 * 6)())
