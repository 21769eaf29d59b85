"""Puts a child under every layer and tries whether they hold; a child that cannot be confined must not run."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sandbox.worker import arrow, kernel, landlock, rlimits, seccomp
from sandbox.worker.orders import CONTROL_FD, Attestation, House, Order, Rlimits

# What stands in where the limits are left out on purpose: the machine must survive that too.
BACKSTOP = Rlimits(memory_bytes=3072 * rlimits.MIB, cpu_s=60, file_bytes=512 * rlimits.MIB)
_BACKSTOP_PROCESSES = 100


class NotConfinedError(Exception):
    """A layer did not take, or took and does not hold."""


def confine(order: Order, house: House, read: Iterable[Path]) -> Attestation:
    """Confine this process for good and return what is in force.

    Raises NotConfinedError, naming the layer, when one does not take or does not hold.
    """
    with _layer("no_new_privs"):
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        no_new_privs = kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS) == 1
    abi = None
    if "landlock" not in house.without:
        with _layer("landlock"):
            abi = landlock.confine(read, Path(order.scratch))
            _holds(lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY), errno.EACCES)
    arrow.start_threads()  # inside of Landlock, which a thread inherits, and before nothing can start one
    limited = "rlimits" not in house.without
    with _layer("rlimits"):
        held = rlimits.fix() if limited else rlimits.fix(processes=_BACKSTOP_PROCESSES)
    filtered = "seccomp" not in house.without
    if filtered:
        with _layer("seccomp"):
            seccomp.install(CONTROL_FD)
            _holds(lambda: socket.socket(socket.AF_UNIX), errno.EPERM)
    return Attestation(os.getuid(), no_new_privs, abi, filtered, held if limited else {})


@contextlib.contextmanager
def _layer(name: str) -> Iterator[None]:
    """Name the layer in whatever goes wrong with it."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise NotConfinedError(f"{name}: {error}") from error


def _holds(attempt: Callable[[], object], expected: int) -> None:
    """Try what must be refused now; raise OSError when it is refused otherwise, or not at all."""
    try:
        attempt()
    except OSError as error:
        if error.errno == expected:
            return
        raise
    raise OSError(errno.EPERM, "was installed and does not hold")
