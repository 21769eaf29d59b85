"""The loop: a turn of the model, the tools it asked for, and again, until it has answered."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from server.chat.desk import Desk, Outcome
from server.chat.events import Done, Emit, TextDelta
from server.chat.history import fit, results, said, size
from server.chat.limits import AnswerLimits
from server.chat.model import Message, Model, Reply
from server.chat.permission import offered
from tools.errors import ToolError

Keep = Callable[[Sequence[Message], Sequence[Outcome]], Awaitable[None]]
_CONCLUDE = (
    "The limit of tool calls for this question is reached: answer from what you have, say what is missing."
)


class Counted(NamedTuple):
    """What an answer has used up."""

    turns: int = 0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Loop:
    """One answer of a model with tools."""

    def __init__(self, model: Model, desk: Desk, limits: AnswerLimits, emit: Emit, keep: Keep) -> None:
        self.model = model
        self.desk = desk
        self.limits = limits
        self.emit = emit
        self.keep = keep
        self.used = Counted()
        self.spoke = False
        self.tools = [offered(tool) for tool in desk.tools]

    async def run(self, messages: list[Message]) -> Done:
        """Answer the last of these messages.

        Each whole step (what the model said with what its calls brought) is kept at once: an answer that breaks
        off leaves a conversation that can go on. Raises ToolError where it cannot be brought to its end.
        """
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._run(messages)
        except TimeoutError as error:
            hint = "Ask for less at once; what the tools said is kept."
            raise ToolError("timeout", f"No answer within {self.limits.seconds:g} s.", hint) from error

    async def _run(self, messages: list[Message]) -> Done:
        while True:
            last = self.used.turns >= self.limits.turns or self.used.calls >= self.limits.calls
            reply = await self._turn(messages, may_call=not last)
            if not reply.calls:
                await self.keep([said(reply)], [])
                return self._done(reply)
            if last:
                raise ToolError(
                    "too_large",
                    f"The model asked for tools without end; {self.used.calls} calls were made.",
                    "Ask a narrower question; what the tools said is kept.",
                )
            step = await self._answer_calls(reply)
            messages += step

    async def _turn(self, messages: list[Message], *, may_call: bool) -> Reply:
        """Take one turn, passing its text on as it comes."""
        if self.used.input_tokens + self.used.output_tokens > self.limits.tokens:
            raise ToolError(
                "too_large",
                f"This answer has used more than {self.limits.tokens} tokens.",
                "Ask a narrower question; what the tools said is kept.",
            )
        shown = fit(messages, self.limits.context_chars)
        if not may_call:
            shown.append({"role": "system", "content": _CONCLUDE})
        reply: Reply | None = None
        pause = "\n\n" if self.spoke else ""
        async for piece in self.model.turn(shown, self.tools, may_call=may_call):
            if isinstance(piece, Reply):
                reply = piece
            else:
                self.emit(TextDelta(pause + piece))
                self.spoke, pause = True, ""
        if reply is None:
            raise ToolError("timeout", "The model's answer broke off before its end.", "Ask again.")
        self._count(reply, shown)
        return reply

    def _count(self, reply: Reply, shown: list[Message]) -> None:
        used = self.used
        # Services that do not count are estimated at four characters a token.
        asked = size(shown) // 4 if reply.input_tokens is None else reply.input_tokens
        answered = len(reply.text) // 4 if reply.output_tokens is None else reply.output_tokens
        self.used = Counted(
            used.turns + 1, used.calls, used.input_tokens + asked, used.output_tokens + answered
        )

    async def _answer_calls(self, reply: Reply) -> list[Message]:
        reply = _with_own_ids(reply)
        room = self.limits.calls - self.used.calls
        outcomes = await self.desk.run(reply.calls[:room])
        too_many = ToolError("too_large", f"Only {self.limits.calls} calls are allowed for one question.")
        outcomes += [Outcome(call, {}, error=too_many) for call in reply.calls[room:]]
        self.used = self.used._replace(calls=self.used.calls + min(room, len(reply.calls)))
        step = [said(reply), *results(outcomes, self.limits.result_chars)]
        await self.keep(step, outcomes)
        return step

    def _done(self, reply: Reply) -> Done:
        return Done(reply.text, reply.finish, self.model.name, *self.used)


def _with_own_ids(reply: Reply) -> Reply:
    """Name the calls anew: some services number those of every turn from one, one takes nine characters only."""
    calls = [call._replace(id=secrets.token_hex(5)[:9]) for call in reply.calls]
    return reply._replace(calls=calls)
