"""The system call filter: an allowlist, everything else answers EPERM.

Built as classic BPF by hand (linux/seccomp.h, linux/bpf_common.h), so that no library is needed.
"""

import ctypes
import errno
import functools
import os
import platform
import struct
from collections.abc import Sequence

from sandbox.worker import kernel, syscalls

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000 | errno.EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32_BIT = 0x40000000
_SPECIAL = 0o1000  # modes from here on are sticky, setgid or setuid
_SET_FILTER, _ALL_THREADS = ctypes.c_uint(1), ctypes.c_uint(1)  # SECCOMP_SET_MODE_FILTER, ..._TSYNC

# F_DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW, F_OFD_*LK*, F_DUPFD_CLOEXEC, F_GET_SEALS.
# F_SETOWN and its kin are out: with O_ASYNC they make the kernel signal another process.
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1034)
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONCLEX FIOCLEX


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _one_of(index: int, values: Sequence[int]) -> bytes:
    """Let the call through when argument `index`, which is an int to the kernel, is one of `values`."""
    tests = b"".join(_step(_EQUAL, value, 0, 1) + _step(_RETURN, ALLOW) for value in values)
    return _step(_LOAD, _ARGUMENTS + 8 * index) + tests + _step(_RETURN, REFUSE)


def _below(index: int, limit: int) -> bytes:
    """Let the call through when argument `index`, which is an int to the kernel, is less than `limit`."""
    test = _step(_AT_LEAST, limit, 0, 1) + _step(_RETURN, REFUSE)
    return _step(_LOAD, _ARGUMENTS + 8 * index) + test + _step(_RETURN, ALLOW)


def _when(number: int, block: bytes) -> bytes:
    """Run `block`, which ends in a return, for system call `number` only."""
    return _step(_EQUAL, number, 0, len(block) // 8) + block


@functools.cache
def _always(machine: str) -> bytes:
    """Return the part of the filter that is the same in every process."""
    _, numbers = syscalls.MACHINES[machine]
    answers = [
        (syscalls.FREE, ALLOW),
        (syscalls.MISSING, 0x00050000 | errno.ENOSYS),
        (syscalls.UNSUPPORTED, 0x00050000 | errno.ENOTSUP),
    ]
    return b"".join(
        _when(numbers[name], _step(_RETURN, answer))
        for names, answer in answers
        for name in names
        if name in numbers
    )


def program(pid: int, machine: str, control_fd: int) -> bytes:
    """Return the filter for process `pid`, whose only socket is `control_fd`, as BPF instructions.

    Raises:
        KeyError: the machine has no table of system call numbers here.
    """
    architecture, numbers = syscalls.MACHINES[machine]
    start = _step(_LOAD, _ARCHITECTURE) + _step(_EQUAL, architecture, 1, 0) + _step(_RETURN, KILL_PROCESS)
    start += _step(_LOAD, _NUMBER) + _step(_AT_LEAST, _X32_BIT, 0, 1) + _step(_RETURN, KILL_PROCESS)
    checked = {
        "kill": _one_of(0, (pid, 0)),  # 0 is the own process group, and the child leads one of its own
        "tgkill": _one_of(0, (pid,)),
        "tkill": _one_of(0, (pid,)),
        "fcntl": _one_of(1, _FCNTL),
        "ioctl": _one_of(1, _IOCTL),
        "prlimit64": _one_of(0, (0, pid)),  # its own limits, which it can only lower
        "recvmsg": _one_of(0, (control_fd,)),
        "getpgid": _one_of(0, (0, pid)),  # aarch64 has no getpgrp of its own
        "fallocate": _one_of(1, (0,)),  # FALLOC_FL_KEEP_SIZE takes room past the limit on a file's size
    }
    # A file may be born with a mode, though none may be given one later: nothing that runs as its owner (setuid).
    checked |= {"open": _below(2, _SPECIAL), "openat": _below(3, _SPECIAL), "creat": _below(1, _SPECIAL)}
    blocks = b"".join(_when(numbers[name], block) for name, block in checked.items() if name in numbers)
    return start + _always(machine) + blocks + _step(_RETURN, REFUSE)


def install(control_fd: int) -> None:
    """Put this process, with every thread it has, under the filter for good.

    Raises OSError when the kernel says no.
    """
    machine = platform.machine()
    code = program(os.getpid(), machine, control_fd)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.addressof(buffer))
    left_out = kernel.syscall(syscalls.SECCOMP[machine], _SET_FILTER, _ALL_THREADS, ctypes.byref(filter_))
    if left_out:
        raise OSError(errno.EBUSY, f"thread {left_out} cannot be put under the filter")
