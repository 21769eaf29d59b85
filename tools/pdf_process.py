"""Runs the reader of PDFs in a process of its own, and ends it where a page takes too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from tools.context import ToolContext
from tools.errors import ToolError

OPEN_S = 60.0
PAGE_S = 20.0
WHOLE_S = 1_800.0
MEMORY_BYTES = 2_000_000_000
_LOOK_S = 0.1
_WORKER = Path(__file__).with_name("pdf_worker.py")
Line = dict[str, Any]


class StuckError(Exception):
    """The reader took too long over what it should have written next, or ended without it; says which."""


class PdfProcess:
    """A reader that has opened a file; `lines` yields what it writes."""

    def __init__(self, context: ToolContext, path: Path, first_page: int) -> None:
        limits = [str(MEMORY_BYTES), str(int(WHOLE_S))]
        command = [sys.executable, "-I", "-X", "utf8", str(_WORKER), str(path.resolve()), str(first_page)]
        self._context = context
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [*command, *limits],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Nothing of this process's settings and keys is its business; Windows cannot start without this one.
            env={name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ},
        )
        # Bounded, so that a fast reader waits for the parent instead of filling its memory.
        self._queue: Queue[str | None] = Queue(maxsize=8)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._pass_on, name="pdf-reader", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def __enter__(self) -> PdfProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def _pass_on(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        with self._process.stdout as out:
            for line in out:
                self._put(line)
        self._put(None)

    def _put(self, line: str | None) -> None:
        while not self._closed.is_set():
            with suppress(Full):
                self._queue.put(line, timeout=_LOOK_S)
                return

    def lines(self) -> Iterator[Line]:
        """Yield what the reader writes, until it has written everything.

        Raises:
            StuckError: the next line did not come in time, or the reader broke down.
            ToolError: the call was cancelled.
        """
        wait_s = OPEN_S
        while (line := self._next(wait_s)) is not None:
            yield json.loads(line)
            wait_s = PAGE_S
        if self._process.wait() != 0:
            raise StuckError("its reader broke down")

    def _next(self, wait_s: float) -> str | None:
        until = time.monotonic() + wait_s
        while True:
            if self._context.cancelled.is_set():
                raise ToolError(
                    "timeout", "The import was cancelled.", "Nothing of it was kept; start it again."
                )
            try:
                return self._queue.get(timeout=_LOOK_S)
            except Empty:
                if time.monotonic() > until:
                    raise StuckError(f"its reader needs more than {wait_s:g} s") from None
