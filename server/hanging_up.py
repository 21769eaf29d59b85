"""Work for a caller who may hang up: it is told, and can end early."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import anyio.to_thread
from starlette.requests import Request

T = TypeVar("T")


async def hung_up(request: Request) -> None:
    """Wait until the caller has gone; the request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def run_for(request: Request, work: Callable[[], T], cancelled: Event) -> T:
    """Run `work` in a thread, and set `cancelled` as soon as nobody waits for it any more."""

    async def tell() -> None:
        await hung_up(request)
        cancelled.set()

    leaving = asyncio.create_task(tell())
    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except asyncio.CancelledError:
        cancelled.set()
        raise
    finally:
        leaving.cancel()
