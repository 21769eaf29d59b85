"""The server's end of the zygote: starts it, orders children from it, learns how they ended."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from sandbox.errors import SandboxError
from sandbox.worker import wire
from sandbox.worker.orders import House, Order

_START_S = 120.0
_ANSWER_S = 20.0
_WORKER = Path(__file__).with_name("worker") / "__main__.py"


class ZygoteError(SandboxError):
    """The zygote did not start, did not answer, or is gone."""


class Child:
    """One forked process, from our side."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.control, self.their_control = socket.socketpair()
        self.attest_fd, self.their_attest = os.pipe()
        self.output_fd, self.their_output = os.pipe()
        self.pid = 0
        self.pidfd = -1
        self.nameless = 0  # bytes it keeps on disk in files without a name, as last reported
        self._closed = False
        self._lock = threading.RLock()
        self.started: Future[None] = Future()
        self.ended: Future[dict[str, Any]] = Future()

    def theirs(self) -> list[int]:
        """Return the descriptors the child gets: control, attestation, output."""
        return [self.their_control.fileno(), self.their_attest, self.their_output]

    def close_theirs(self) -> None:
        """Close our copies of the child's ends, so that we notice when it closes them."""
        self.their_control.close()
        os.close(self.their_attest)
        os.close(self.their_output)

    def begin(self, pid: int, pidfd: int) -> None:
        """Take note that the process exists."""
        with self._lock:
            self.pid, self.pidfd = pid, pidfd
        self.started.set_result(None)
        if self._closed:
            self.close()  # nobody waited for it any more

    def signal(self, number: int) -> None:
        """Send the child a signal; nothing happens when it has ended."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, number)

    def lives(self) -> bool:
        """Say whether the process has not ended."""
        return self.pidfd >= 0 and not select.select([self.pidfd], [], [], 0)[0]

    def close(self) -> None:
        """Kill the child if it still lives, and close everything; may be called again."""
        with self._lock:
            self._closed = True
            if self.pidfd >= 0:
                self.signal(signal.SIGKILL)
            self.control.close()
            for fd in (self.pidfd, self.attest_fd, self.output_fd):
                if fd >= 0:
                    os.close(fd)
            self.pidfd = self.attest_fd = self.output_fd = -1


class Zygote:
    """One zygote process; a dead one is not revived but replaced."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.hello: dict[str, Any] = {}
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._ready: Future[None] = Future()
        self._socket, self._theirs = socket.socketpair()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 closed when the process has ended
        # The kernel ties PR_SET_PDEATHSIG to the thread that started the process: this one stays as long as it.
        self._keeper = threading.Thread(target=self._keep, name="sandbox-zygote", daemon=True)

    def start(self) -> None:
        """Start the process and wait until it has imported everything; raise ZygoteError when it does not."""
        self._keeper.start()
        try:
            self._ready.result(_START_S)
        except TimeoutError:
            self.close()
            raise ZygoteError(f"the sandbox did not start within {_START_S:.0f} s") from None

    @property
    def alive(self) -> bool:
        """Say whether the process can take orders."""
        return self._keeper.is_alive() and self._ready.done()

    def spawn(self, order: Order) -> Child:
        """Order a child and return it without waiting for it; raise ZygoteError when the zygote is gone."""
        child = Child(order)
        self._children[order.run] = child
        try:
            with self._lock:
                wire.send(self._socket, asdict(order), child.theirs())
        except OSError as error:
            self._children.pop(order.run, None)
            child.close()
            raise ZygoteError("the sandbox's zygote is gone", "Run the code again.") from error
        finally:
            child.close_theirs()
        return child

    def await_start(self, child: Child) -> None:
        """Wait until the child exists; raise ZygoteError when it does not come to be.

        A zygote that does not answer is ended, so that the next order meets a new one.
        """
        try:
            child.started.result(_ANSWER_S)
        except TimeoutError:
            self.close()
            raise ZygoteError("the sandbox's zygote does not answer", "Run the code again.") from None

    def close(self) -> None:
        """End the zygote, and with it every child."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._keeper.is_alive() and self._keeper is not threading.current_thread():
            self._keeper.join(10)

    def _keep(self) -> None:
        process = self._exec()
        try:
            self._listen()
        finally:
            process.kill()
            process.wait()
            self._fail_everybody(ZygoteError(f"the sandbox's zygote ended: {self._last_words()}"))
            self._socket.close()
            self._errors.close()

    def _exec(self) -> "subprocess.Popen[bytes]":
        fd = self._theirs.fileno()
        command = [sys.executable, "-I", "-X", "utf8", str(_WORKER), str(fd)]
        process = subprocess.Popen(  # noqa: S603 our own interpreter
            command,
            env={},
            cwd="/",
            pass_fds=[fd],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )
        self._theirs.close()
        return process

    def _listen(self) -> None:
        """Take the zygote's messages until it is gone."""
        with contextlib.suppress(OSError, ValueError):
            wire.send(self._socket, asdict(self.house))
            while (received := wire.receive(self._socket)) is not None:
                self._hear(*received)

    def _hear(self, message: wire.Message, fds: list[int]) -> None:
        if "identity" in message:
            self.hello = message
            self._ready.set_result(None)
            return
        run = str(message["run"])
        child = self._children[run]
        if "pid" in message:
            child.begin(int(str(message["pid"])), fds[0])
        elif "nameless" in message:
            child.nameless = int(str(message["nameless"]))
        elif "refused" in message:
            self._children.pop(run)
            child.started.set_exception(ZygoteError(str(message["refused"])))
        else:
            self._children.pop(run)
            child.ended.set_result(message)

    def _fail_everybody(self, error: ZygoteError) -> None:
        futures: list[Future[Any]] = [self._ready]
        for child in list(self._children.values()):
            futures += [child.started, child.ended]
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def _last_words(self) -> str:
        self._errors.seek(0)
        text = self._errors.read().decode("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "no reason given"
