"""Which files a process may open, by Landlock (linux/landlock.h); the boundary for everything on disk."""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from sandbox.worker import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_VERSION = 1
_PATH_BENEATH = 1

READ_FILE, READ_DIR = 1 << 2, 1 << 3
WRITE_FILE, REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 1, 1 << 4, 1 << 5, 1 << 7, 1 << 8
TRUNCATE = 1 << 14
READ = READ_FILE | READ_DIR
# Without making links, sockets, pipes or devices, without execute, without moving between folders.
SCRATCH = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE
_ON_A_FILE = READ_FILE | WRITE_FILE | TRUNCATE

_FILE_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 5: 16}  # how many of the lowest bits the kernel knows
_TCP = 0b11  # bind, connect: since ABI 4
_SCOPES = 0b11  # abstract UNIX sockets, signals: since ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Return the kernel's Landlock version; raise OSError where it has none."""
    return kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))


def _handled(version: int) -> _Ruleset:
    bits = max(count for since, count in _FILE_RIGHTS_BY_ABI.items() if since <= version)
    return _Ruleset((1 << bits) - 1, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)


def confine(read: Iterable[Path], write: Path) -> int:
    """Let this process read below `read` and work below `write`, and open nothing else; return the ABI used.

    Paths that do not exist are left out. Raises OSError when the kernel says no.
    """
    version = abi()
    handled = _handled(version)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = kernel.syscall(
        _CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    for path in read:
        _allow(ruleset, path, READ & handled.files)
    _allow(ruleset, Path(os.devnull), READ_FILE | WRITE_FILE)
    _allow(ruleset, write, SCRATCH & handled.files)
    kernel.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not path.is_dir():
        rights &= _ON_A_FILE
    rule = _Beneath(rights, parent)
    kernel.syscall(
        _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
    )
    os.close(parent)
