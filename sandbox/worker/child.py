"""One run's process, from the fork to its end: confine, attest, then take jobs."""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from sandbox.worker import audit, execute, kernel, rlimits, warm, wire
from sandbox.worker.confine import BACKSTOP, NotConfinedError, confine
from sandbox.worker.orders import ATTEST_FD, CONTROL_FD, House, Order, Rlimits
from sandbox.worker.process import Process

_LULL_S = 0.05  # when runs come one straight after the other, warming up would only be in the way
FAILED = 70  # exit status; sysexits.h calls it EX_SOFTWARE


def live(order: Order, house: House, read: list[Path], fds: list[int], process: Process) -> NoReturn:
    """Turn this freshly forked process into a confined worker; never returns to the zygote's code."""
    try:
        control, in_use = _become_confined(order, house, read, fds, process)
        gc.enable()
        streams: tuple[Any, ...] = (sys.stdout, sys.stderr)
        for stream in streams:
            stream.reconfigure(
                line_buffering=True
            )  # so that what was printed is there when the run is killed
        if house.warm and not _has_job(control, _LULL_S):
            warm.until(lambda: _has_job(control, 0))
        _work(control, "rlimits" not in house.without, in_use)
    finally:
        os._exit(FAILED)


def _become_confined(
    order: Order, house: House, read: list[Path], fds: list[int], process: Process
) -> tuple[socket.socket, int]:
    """Settle in, put every layer on and attest it; return the line to the server, and the address space in use."""
    try:
        _settle_in(order, process)
        in_use = process.address_space()
        control = _arrange(fds)
        _attest(order, house, read)
    except BaseException as error:  # whatever it is: unconfined, this process must not go on
        _report_failure(error)
        os._exit(FAILED)
    return control, in_use


def _settle_in(order: Order, process: Process) -> None:
    os.setsid()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != process.parent:
        os._exit(FAILED)  # the zygote died before the line above
    process.offer_to_oom_killer()
    os.chdir(order.scratch)
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR"):
        os.environ[name] = order.scratch


def _arrange(fds: list[int]) -> socket.socket:
    """Put control, attestation and output where they belong, close everything else, and return control."""
    control, attest, output = (_high(fd) for fd in fds)
    nothing = _high(os.open(os.devnull, os.O_RDONLY))
    for source, target in (
        (nothing, 0),
        (output, 1),
        (output, 2),
        (control, CONTROL_FD),
        (attest, ATTEST_FD),
    ):
        os.dup2(source, target, inheritable=False)
    os.closerange(ATTEST_FD + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    # Now, because it asks the kernel what kind of socket it is, which the filter forbids.
    return socket.socket(fileno=CONTROL_FD)


def _high(fd: int) -> int:
    """Return a copy of `fd` that is out of the way of the numbers to be given out."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD, ATTEST_FD + 1)


def _attest(order: Order, house: House, read: list[Path]) -> None:
    attestation = confine(order, house, read)
    if house.audit:
        audit.install(read, Path(order.scratch))
    os.write(ATTEST_FD, json.dumps(attestation.message()).encode())
    os.close(ATTEST_FD)


def _report_failure(error: BaseException) -> None:
    layer = "" if isinstance(error, NotConfinedError) else f"{type(error).__name__}: "
    try:
        os.write(ATTEST_FD, json.dumps({"failed": f"{layer}{error}"[:500]}).encode())
    except OSError:
        return  # the server reads "no attestation" just as well


def _has_job(control: socket.socket, wait_s: float) -> bool:
    return bool(select.select([control], [], [], wait_s)[0])


def _work(control: socket.socket, limited: bool, in_use: int) -> NoReturn:
    """Take jobs until the server hangs up."""
    while (received := wire.receive(control)) is not None:
        job, fds = received
        wanted: Any = job.pop("limits")
        limits = Rlimits(**wanted) if limited else BACKSTOP
        held = rlimits.allow(limits, in_use, fds, bool(job["keep"]))
        os.write(CONTROL_FD, wire.pack({"armed": held}))
        os.write(CONTROL_FD, wire.pack(execute.run(job, fds)))
    os._exit(0)
