"""Puts a child under every layer and tries whether they hold; a child that cannot be confined must not run."""

import errno
import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.worker import arrow, kernel, landlock, rlimits, seccomp
from sandbox.worker.orders import CONTROL_FD, Attestation, House, Order

# What stands in where the limits are left out on purpose: the machine must survive that too.
BACKSTOP = rlimits.Rlimits(memory_bytes=3072 * rlimits.MIB, cpu_s=60, file_bytes=512 * rlimits.MIB)
_BACKSTOP_PROCESSES = 100


class NotConfinedError(Exception):
    """A layer did not take, or took and does not hold."""


def confine(order: Order, house: House, read: Iterable[Path]) -> Attestation:
    """Confine this process for good and return what is in force.

    Raises OSError when the kernel refuses a layer, NotConfinedError when a layer does not hold.
    """
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    no_new_privs = kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS) == 1
    abi = None
    if "landlock" not in house.without:
        abi = landlock.confine(read, Path(order.scratch))
        _holds("landlock", lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY), errno.EACCES)
    arrow.start_threads()  # inside of Landlock, which a thread inherits, and before nothing can start one
    limited = "rlimits" not in house.without
    held = rlimits.fix() if limited else rlimits.fix(processes=_BACKSTOP_PROCESSES)
    filtered = "seccomp" not in house.without
    if filtered:
        seccomp.install(CONTROL_FD)
        _holds("seccomp", lambda: socket.socket(socket.AF_UNIX), errno.EPERM)
    return Attestation(os.getuid(), no_new_privs, abi, filtered, held if limited else {})


def _holds(layer: str, attempt: Callable[[], object], expected: int) -> None:
    try:
        attempt()
    except OSError as error:
        if error.errno == expected:
            return
        raise
    raise NotConfinedError(f"{layer} was installed and does not hold")
