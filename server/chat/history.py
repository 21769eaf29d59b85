"""What a model is shown of a conversation: the newest whole, the older shorter, all within its context."""

import json
from collections.abc import Iterable, Sequence

from server.chat.desk import Outcome
from server.chat.model import Message, Reply

OLD_RESULT_CHARS = 300
_CUT = "[shortened: call the tool again for the rest]"


def said(reply: Reply) -> Message:
    """Return the message of a turn as every service takes it back.

    Arguments that are no JSON object are emptied, and only beside calls may the text be absent: some choke on either.
    """
    message: Message = {"role": "assistant", "content": reply.text or (None if reply.calls else "")}
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _valid(call.arguments)},
            }
            for call in reply.calls
        ]
    return message


def _valid(arguments: str) -> str:
    try:
        return arguments if isinstance(json.loads(arguments), dict) else "{}"
    except ValueError:
        return "{}"


def results(outcomes: Iterable[Outcome], longest: int) -> list[Message]:
    """Return the messages that give a model what its calls brought."""
    return [
        {"role": "tool", "tool_call_id": outcome.call.id, "content": outcome.for_model(longest)}
        for outcome in outcomes
    ]


def fit(messages: Sequence[Message], chars: int) -> list[Message]:
    """Return the messages within a size: old tool results are shortened first, then old exchanges left out.

    The system's message, the newest question and what followed it stay; the stored conversation keeps everything.
    """
    kept = [dict(message) for message in messages]
    over = size(kept) - chars
    for message in kept:
        if over <= 0:
            return kept
        over -= _shorten(message)
    return _without_oldest(kept, chars) if over > 0 else kept


def size(messages: Iterable[Message]) -> int:
    """Return how many characters messages have."""
    return sum(
        len(message.get("content") or "") + len(str(message.get("tool_calls", ""))) for message in messages
    )


def _shorten(message: Message) -> int:
    content = message.get("content") or ""
    if message["role"] != "tool" or len(content) <= OLD_RESULT_CHARS + len(_CUT):
        return 0
    message["content"] = content[:OLD_RESULT_CHARS] + _CUT
    return len(content) - len(message["content"])


def _without_oldest(messages: list[Message], chars: int) -> list[Message]:
    system = [message for message in messages if message["role"] == "system"]
    rest = [message for message in messages if message["role"] != "system"]
    starts = [number for number, message in enumerate(rest) if message["role"] == "user"] or [0]
    first = next((start for start in starts if size(rest[start:]) + size(system) <= chars), starts[-1])
    dropped = starts.index(first)
    if not dropped:
        return messages
    earlier = " / ".join((rest[start].get("content") or "")[:80] for start in starts[:dropped][-20:])
    note = f"{dropped} earlier exchanges are left out here. Their questions were: {earlier}"
    return [*system, {"role": "system", "content": note}, *rest[first:]]
