"""The process that has everything imported and forks one confined child per run.

It runs no user code, knows no secret (it was exec'd with an empty environment) and has one thread.
"""

import dataclasses
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.worker import child, identity, kernel, preload, reach, wire
from sandbox.worker.orders import OWN_FOLDER, House, Order
from sandbox.worker.process import Process

_LOOK_EVERY_MS = 100
_WORTH_TELLING = 1 << 20


def main(server_fd: int) -> None:
    """Serve fork orders that come in over the socket `server_fd` until the server hangs up."""
    server = socket.socket(fileno=server_fd)
    server.set_inheritable(False)
    hello = wire.receive(server)
    if hello is None:
        return
    house = House(**hello[0])  # type: ignore[arg-type] # made with asdict on the other side
    zygote = _Zygote(server, house)
    wire.send(server, zygote.settle())
    zygote.serve()


class _Zygote:
    def __init__(self, server: socket.socket, house: House) -> None:
        self._server = server
        self._house = house
        self._read: list[Path] = []
        self._process = Process()
        self._children: dict[int, tuple[int, str]] = {}  # pidfd -> pid, run
        self._extras: Iterator[str] = iter(())
        self._poll = select.poll()
        self._looked_at = 0.0
        self._device = 0

    def settle(self) -> wire.Message:
        """Take on the sandbox's identity, import everything, and say what came of it."""
        sys.path[:] = reach.packages()
        self._read = reach.readable()
        scratch = Path(self._house.scratch)
        who = identity.settle(self._house.uid, self._read, scratch)
        own = scratch / OWN_FOLDER
        os.chdir(own)
        self._device = own.stat().st_dev
        versions = preload.load(own)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        kernel.one_heap()
        # Last, because a change of user clears it. The server's socket closing is the second way to notice.
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        gc.disable()  # collecting in a fork would copy every page it touches; a child turns it on again
        gc.freeze()
        self._extras = preload.extras() if self._house.extras else iter(())
        return {
            "pid": os.getpid(),
            "identity": dataclasses.asdict(who),
            "versions": versions,
            "threads": self._process.threads(),
        }

    def serve(self) -> None:
        """Fork on order and report every child's end, until the server is gone."""
        self._poll.register(self._server, select.POLLIN)
        while True:
            ready = self._poll.poll(_LOOK_EVERY_MS)
            if not ready and next(self._extras, None) is not None:
                gc.freeze()
            self._look_after_children()
            for fd, _ in ready:
                if fd != self._server.fileno():
                    self._bury(fd)
                elif not self._obey():
                    os.killpg(0, signal.SIGKILL)

    def _look_after_children(self) -> None:
        """Report what children keep on disk without a name: only a process of their own user may look."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_MS / 1000:
            return
        self._looked_at = now
        for pid, run in self._children.values():
            nameless = self._process.nameless_bytes(pid, self._device)
            if nameless > _WORTH_TELLING:
                wire.send(self._server, {"run": run, "nameless": nameless})

    def _obey(self) -> bool:
        received = wire.receive(self._server)
        if received is None:
            return False
        message, fds = received
        order = Order(str(message["run"]), str(message["scratch"]))
        threads = self._process.threads()
        try:
            if threads != 1:
                raise OSError(f"{threads} threads in the zygote")
            self._fork(order, fds)
        except OSError as error:
            wire.send(self._server, {"run": order.run, "refused": str(error)})
        for fd in fds:
            os.close(fd)
        return True

    def _fork(self, order: Order, fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            child.live(order, self._house, self._read, fds, self._process)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid, order.run
        self._poll.register(pidfd, select.POLLIN)
        wire.send(self._server, {"run": order.run, "pid": pid}, [pidfd])

    def _bury(self, pidfd: int) -> None:
        """Reap a child that has ended and report how."""
        pid, run = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status, used = os.wait4(pid, 0)
        ended: wire.Message = {
            "exit": os.waitstatus_to_exitcode(status),
            "cpu_s": used.ru_utime + used.ru_stime,
        }
        wire.send(self._server, {"run": run, **ended})
