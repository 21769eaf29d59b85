"""Processes that use storage and can be killed at any moment, forked from one that has imported it already.

As a program: reads `[function, *arguments]` as JSON lines, runs each in a process of its own, and writes
`[number, message]` lines; a message of null says that the process has ended, however it did.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent
BATCHES_PER_SESSION = 30


class Nursery:
    """Starts processes and hears from them."""

    def __enter__(self) -> Self:
        path = os.pathsep.join([str(FOLDER.parent), str(FOLDER)])
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        self._heard: dict[int, deque[Any]] = defaultdict(deque)
        self._numbers = itertools.count()
        return self

    def start(self, function: str, *arguments: Any) -> "Child":
        """Start one of the functions below in a process of its own."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._server.stdin.flush()
        return Child(self, next(self._numbers))

    def hear(self, number: int) -> Any:
        """Return the next message of a process, None when it has ended."""
        assert self._server.stdout is not None
        while not self._heard[number]:
            sender, message = json.loads(self._server.stdout.readline())
            self._heard[sender].append(message)
        return self._heard[number].popleft()

    def __exit__(self, *failure: object) -> None:
        self._server.kill()
        with self._server:
            pass


class Child:
    """One process."""

    def __init__(self, nursery: Nursery, number: int) -> None:
        self._nursery = nursery
        self._number = number
        self.pid = int(self.hear())

    def hear(self) -> Any:
        """Return its next message, None when it has ended."""
        return self._nursery.hear(self._number)

    def rest(self) -> Iterator[Any]:
        """Give what it still says until it ends."""
        while (message := self.hear()) is not None:
            yield message

    def kill(self) -> None:
        """End it as `kill -9` does, if it still lives."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def record_without_end(say: Any, address: str, number: int) -> None:
    """Record session after session, saying (session id, batch number) after each durable batch."""
    with open_store(address) as store:
        while True:
            session = store.sessions.create(origin="capture", name=f"{number}").id
            for index in range(BATCHES_PER_SESSION):
                store.samples.append(session, batch(number, index))
                say([session, index])
            store.sessions.finish(session)


def record(say: Any, address: str, batches: int) -> None:
    """Record one session and leave it recording."""
    with open_store(address) as store:
        session = store.sessions.create(origin="capture").id
        for index in range(batches):
            store.samples.append(session, batch(0, index))


def leave_sessions(say: Any, address: str) -> None:
    """Begin a recording and an import, say their ids, and wait to be killed."""
    store = open_store(address)
    sessions = [
        store.sessions.create(origin="capture").id,
        store.sessions.create(origin="import", state="importing").id,
    ]
    for session in sessions:
        for index in range(3):
            store.samples.append(session, batch(1, index))
    say(sessions)
    time.sleep(60)


def open_at(say: Any, address: str, when_s: float) -> None:
    """Open the database at a given time; say how many sessions it has, or the error."""
    time.sleep(max(0.0, when_s - time.time()))
    try:
        with open_store(address) as store:
            say(store.sessions.list().total)
    except StorageError as error:
        say(error.message)


def _watch(number: int, function: str, arguments: list[Any]) -> None:
    """Run a function in a child process; announce its birth and death."""

    def say(message: Any) -> None:
        os.write(1, (json.dumps([number, message]) + "\n").encode())

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        globals()[function](say, *arguments)
        os._exit(0)
    say(child)
    os.waitpid(child, 0)
    say(None)
    os._exit(0)


def main() -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number, line in enumerate(sys.stdin):
        function, *arguments = json.loads(line)
        if os.fork() == 0:
            _watch(number, function, arguments)


if __name__ == "__main__":
    from storage_databases import batch

    from storage.errors import StorageError
    from storage.store import open_store

    main()
