"""Answers questions: opens the conversation, lets a model or the built-in rules work, streams what happens."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread

from server.calls import INTERNAL
from server.chat.builtin import NAME as BUILT_IN
from server.chat.builtin import BuiltIn
from server.chat.desk import Desk, Outcome
from server.chat.events import Done, Emit, Event, Failed, Started
from server.chat.instructions import instructions
from server.chat.limits import AnswerLimits
from server.chat.loop import Loop
from server.chat.memory import ClientMemory, Memory, open_memory
from server.chat.model import Message, Model, ModelAccess
from server.chat.opening import open_model
from server.selection import AnyTool
from storage.errors import StorageError
from tools.context import Workshop
from tools.errors import ToolError

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked; clients that remember the conversation themselves give `earlier` and who they are."""

    text: str
    conversation_id: str | None = None
    vehicle_id: str | None = None
    session_id: str | None = None
    built_in: bool = False
    earlier: Sequence[Message] | None = None
    requester: str = ""


class Responder:
    """Answers for one process; several questions at once, but one at a time in a conversation."""

    def __init__(
        self,
        tools: tuple[AnyTool, ...],
        workshop: Workshop,
        access: ModelAccess | None = None,
        limits: AnswerLimits | None = None,
    ) -> None:
        self.tools = tools
        self.workshop = workshop
        self.access = access
        self.limits = limits or AnswerLimits()
        self._busy: set[str] = set()
        self._running = 0

    @property
    def models(self) -> list[str]:
        """The names of who can answer, the usual one first."""
        return [self.access.model, BUILT_IN] if self.access else [BUILT_IN]

    async def ask(self, question: Question) -> AsyncGenerator[Event]:
        """Yield what happens until the answer is there: the last event is `done` or `error`.

        Closing the generator stops the answer; whole steps up to then are kept.
        """
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(self._answer(question, events.put_nowait))
        task.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
        finally:
            # Not awaited: a generator may be closed where waiting is not possible.
            task.cancel()

    async def _answer(self, question: Question, emit: Emit) -> None:
        try:
            with self._place(question.conversation_id) as held:
                memory = await self._open(question)
                held.add(memory.conversation_id or "")
                self._busy |= held
                emit(await self._work(question, memory, emit))
        except ToolError as error:
            emit(Failed.of(error))
        except StorageError as error:
            emit(Failed.of(ToolError(error.code, error.message, error.hint)))  # type: ignore[arg-type]  # plain str
        except Exception:
            log.exception("answering a question failed")
            emit(Failed.of(INTERNAL))

    @contextmanager
    def _place(self, conversation_id: str | None) -> Iterator[set[str]]:
        """Hold one of the places, and the conversations in the set that is given, until the answer ends."""
        if self._running >= MOST_AT_ONCE:
            raise ToolError("busy", f"{self._running} questions are being answered.", "Ask again soon.")
        if conversation_id in self._busy:
            raise ToolError(
                "busy", f"{conversation_id} is being answered.", "Wait for the answer, or stop it."
            )
        held = {conversation_id} if conversation_id else set()
        self._busy |= held
        self._running += 1
        try:
            yield held
        finally:
            self._running -= 1
            self._busy -= held

    async def _open(self, question: Question) -> Memory:
        if question.earlier is not None:
            return ClientMemory(question.earlier)
        chosen = (question.vehicle_id, question.session_id)
        opened = partial(open_memory, self.workshop, question.conversation_id, question.text, *chosen)
        return await anyio.to_thread.run_sync(opened)

    async def _work(self, question: Question, memory: Memory, emit: Emit) -> Done:
        access = None if question.built_in else self.access
        name = access.model if access else BUILT_IN
        emit(Started(memory.conversation_id, name))
        history = await anyio.to_thread.run_sync(memory.history)
        asked: Message = {"role": "user", "content": question.text}
        await _keep(memory, [asked], [])
        # What a person approves is bound to whom asked for it: a stored conversation, or that client.
        requester = question.requester or f"chat:{memory.conversation_id}"
        desk = Desk(self.tools, self.workshop, requester, emit)
        if access is None:
            before = [message["content"] for message in history if message["role"] == "user"]
            done = await BuiltIn(desk, memory, partial(_keep, memory), before).answer(question.text)
        else:
            model = await anyio.to_thread.run_sync(open_model, access)
            messages = [_system(self.tools, memory), *history, asked]
            done = await self._ask_model(model, desk, messages, memory, emit)
        return replace(done, conversation_id=memory.conversation_id)

    async def _ask_model(
        self, model: Model, desk: Desk, messages: list[Message], memory: Memory, emit: Emit
    ) -> Done:
        try:
            return await Loop(model, desk, self.limits, emit, partial(_keep, memory)).run(messages)
        finally:
            with suppress(asyncio.CancelledError):
                await model.close()


def _system(tools: tuple[AnyTool, ...], memory: Memory) -> Message:
    return {"role": "system", "content": instructions(tools, memory)}


async def _keep(memory: Memory, messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
    await anyio.to_thread.run_sync(memory.keep, messages, outcomes)
