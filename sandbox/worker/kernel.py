"""Raw calls into the Linux kernel that the standard library does not offer."""

import ctypes
import functools
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
_M_ARENA_MAX = -8


@functools.cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def syscall(number: int, *arguments: object) -> int:
    """Make system call `number`, the same number on every machine; raise OSError when the kernel says no."""
    return _checked(_libc().syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def prctl(option: int, value: object = 0, more: object = 0) -> int:
    """Set or ask for something about this process; raise OSError when the kernel says no."""
    arguments = [
        argument if not isinstance(argument, int) else ctypes.c_ulong(argument)
        for argument in (value, more, 0, 0)
    ]
    return _checked(_libc().prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def one_heap() -> None:
    """Make the C library use one heap for all threads: each further one takes 64 MB of address space."""
    if hasattr(_libc(), "mallopt"):
        _libc().mallopt(_M_ARENA_MAX, 1)


def call(name: str, *arguments: object) -> int:
    """Call C library function `name`, which sets errno; raise OSError when it fails."""
    return _checked(getattr(_libc(), name)(*arguments), name)


def _checked(answer: int, what: str) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return answer
