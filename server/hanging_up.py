"""Work for a caller who may hang up: it is told, and can end early."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import anyio.to_thread
from starlette.requests import Request

T = TypeVar("T")


async def run_for(request: Request, work: Callable[[], T], cancelled: Event) -> T:
    """Run `work` in a thread, and set `cancelled` as soon as nobody waits for it any more; the body must be read."""
    watch = asyncio.create_task(_hung_up(request, cancelled))
    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except asyncio.CancelledError:
        cancelled.set()
        raise
    finally:
        watch.cancel()


async def _hung_up(request: Request, cancelled: Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
    cancelled.set()
