"""The loop: a scripted model calls tools, fails in every way a service can, and is bounded."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr
from scripted_model import ScriptedModel, Step, call, fail, say
from serving import served
from stored_drives import store_drive

from server.chat.events import Done, Event, Failed, TextDelta, ToolEnd, ToolProgress, ToolStart
from server.chat.limits import AnswerLimits
from server.chat.model import ModelAccess
from server.chat.responder import Question, Responder
from server.selection import AnyTool
from tools import TOOLS
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.registry import tool

VIN = {"vin": "1HGCM82633A004352"}
APIS = ["chat", "responses"]


class Waited(Answer):
    text: str

    def say(self) -> str:
        return self.text


meeting = threading.Barrier(2, timeout=5)


@tool("lookup", "Meet another call")
def meet(context: ToolContext, name: str) -> Waited:
    """Return once two of these calls run at the same time."""
    meeting.wait()
    context.progress(1, 2, "met")
    return Waited(text=f"{name} met")


@tool("lookup", "Wait")
def wait(context: ToolContext, seconds: float) -> Waited:
    """Wait until cancelled."""
    waiting.set()
    cancelled = context.cancelled.wait(seconds)
    stopped.append(cancelled)
    return Waited(text="waited")


stopped: list[bool] = []
waiting = threading.Event()


@dataclass
class Chat:
    """A responder with a scripted model behind a real socket."""

    responder: Responder
    model: ScriptedModel
    events: list[Event] = field(default_factory=list)

    def ask(self, text: str, **values: Any) -> Done | Failed:
        async def run() -> None:
            self.events = [event async for event in self.responder.ask(Question(text, **values))]

        asyncio.run(run())
        last = self.events[-1]
        assert isinstance(last, Done | Failed)
        return last

    def all(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@contextmanager
def chatting(
    workshop: Workshop,
    *steps: Step,
    api: Any = "chat",
    tools: Sequence[AnyTool] = (*TOOLS, meet, wait),
    retries: int = 2,
    obey: Any = None,
    **limits: Any,
) -> Iterator[Chat]:
    model = ScriptedModel(*steps, obey=obey)
    with served(model.app) as address:
        access = ModelAccess("scripted", SecretStr("k"), f"{address}/v1", api, timeout_s=5, retries=retries)
        yield Chat(Responder(tuple(tools), workshop, access, AnswerLimits(**limits)), model)


@pytest.mark.parametrize("api", APIS)
def test_a_tool_is_called_and_its_answer_reaches_the_model(api: str, workshop: Workshop) -> None:
    steps = [call(("decode_vin", VIN), text="Looking it up."), say("A Honda from 2003, says the VIN.")]
    with chatting(workshop, *steps, api=api) as chat:
        done = chat.ask("Which car is this?")
    assert isinstance(done, Done)
    assert done.text == "A Honda from 2003, says the VIN."
    assert (done.turns, done.calls, done.input_tokens, done.output_tokens) == (2, 1, 200, 20)
    streamed = "".join(event.text for event in chat.all(TextDelta))
    assert streamed == "Looking it up.\n\nA Honda from 2003, says the VIN."
    (ended,) = chat.all(ToolEnd)
    assert ended.ok
    told = str(chat.model.requests[1])
    assert "check digit" in told
    assert "1HGCM82633A004352" in told
    offered = chat.model.requests[0]["tools"]
    assert len(offered) == len(TOOLS) + 2


def test_responses_keep_nothing_at_the_service(workshop: Workshop) -> None:
    with chatting(workshop, say("Hello."), api="responses") as chat:
        chat.ask("Hello?")
    assert chat.model.requests[0]["store"] is False


def test_calls_that_only_read_run_at_the_same_time(workshop: Workshop) -> None:
    both = call(("meet", {"name": "one"}), ("meet", {"name": "two"}))
    with chatting(workshop, both, say("Done.")) as chat:
        assert isinstance(chat.ask("Meet."), Done)
    assert [event.text for event in chat.all(ToolEnd)] in (["one met", "two met"], ["two met", "one met"])
    results = [m["content"] for m in chat.model.requests[1]["messages"] if m["role"] == "tool"]
    assert [result.split(" ")[0] for result in results] == ["one", "two"]
    assert chat.all(ToolProgress)


WRONG = [
    (("decode_vin", '{"vin": '), "not JSON"),
    (("decode_vin", "[1]"), "not a JSON object"),
    (("fly_to_the_moon", {}), "There is no tool"),
    (("decode_vin", {"vim": "x"}), "did you mean 'vin'"),
    (("get_session", {"session_id": "ses_nowhere22"}), "There is no session"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_what_was_wrong_with_a_call_goes_back_to_the_model(
    wrong: tuple[str, Any], told: str, workshop: Workshop
) -> None:
    with chatting(workshop, call(wrong), call(("decode_vin", VIN)), say("Fine now.")) as chat:
        assert isinstance(chat.ask("Which car?"), Done)
    assert [event.ok for event in chat.all(ToolEnd)] == [False, True]
    echoed = chat.model.requests[1]["messages"]
    assert told in echoed[-1]["content"]
    # What is no JSON object is not echoed: some services refuse the whole request then.
    assert isinstance(json.loads(echoed[-2]["tool_calls"][0]["function"]["arguments"]), dict)


def test_a_bug_in_a_tool_is_an_error_that_tells_no_secrets(workshop: Workshop) -> None:
    @tool("lookup", "Break")
    def broken(context: ToolContext) -> Waited:
        """Break."""
        raise ZeroDivisionError("a secret path")

    with chatting(workshop, call(("broken", {})), say("It broke."), tools=(broken,)) as chat:
        assert isinstance(chat.ask("Break."), Done)
    assert "internal_error" in str(chat.model.requests[1])
    assert "secret" not in str(chat.model.requests[1])


@pytest.mark.parametrize("api", APIS)
def test_a_truncated_stream_is_an_error_and_the_conversation_goes_on(api: str, workshop: Workshop) -> None:
    cut = {"text": "The answer is", "cut": True}
    with chatting(workshop, call(("decode_vin", VIN)), cut, say("Complete."), api=api) as chat:
        failed = chat.ask("Which car?")
        assert isinstance(failed, Failed)
        assert "broke off" in failed.message
        chats = workshop.store.conversations.list().rows
        done = chat.ask("And now?", conversation_id=chats[0].id)
    assert isinstance(done, Done)
    assert "check digit" in str(chat.model.requests[-1]), "what the tool said before the break is kept"


@pytest.mark.parametrize("api", APIS)
def test_a_connection_that_breaks_while_answering_is_an_error(api: str, workshop: Workshop) -> None:
    with chatting(workshop, {"text": "The ans", "break": True}, api=api) as chat:
        failed = chat.ask("Which car?")
    assert isinstance(failed, Failed)
    assert failed.code == "timeout"


@pytest.mark.parametrize("api", APIS)
def test_a_fault_that_the_service_tells_while_answering_is_passed_on(api: str, workshop: Workshop) -> None:
    with chatting(workshop, {"text": "The ans", "fault": "the machine room burns"}, api=api) as chat:
        failed = chat.ask("Which car?")
    assert isinstance(failed, Failed)
    assert "the machine room burns" in failed.message


@pytest.mark.parametrize("api", APIS)
def test_a_call_that_was_cut_off_is_not_run(api: str, workshop: Workshop) -> None:
    cut = call(("decode_vin", '{"vin": "1HGCM82633A0'))
    with chatting(workshop, {**cut, "finish": "length"}, api=api) as chat:
        failed = chat.ask("Which car?")
    assert isinstance(failed, Failed)
    assert "broke off" in failed.message
    assert not chat.all(ToolEnd)


@pytest.mark.parametrize("api", APIS)
def test_an_answer_that_was_cut_at_its_longest_says_so(api: str, workshop: Workshop) -> None:
    with chatting(workshop, {"text": "A long answer", "finish": "length"}, api=api) as chat:
        done = chat.ask("Tell me all.")
    assert isinstance(done, Done)
    assert (done.finish, done.text) == ("length", "A long answer")


@pytest.mark.parametrize("api", APIS)
def test_a_rate_limit_is_waited_out(api: str, workshop: Workshop) -> None:
    with chatting(workshop, fail(429), fail(503), say("At last."), api=api) as chat:
        done = chat.ask("Hello?")
    assert isinstance(done, Done)
    assert len(chat.model.requests) == 3


@pytest.mark.parametrize("api", APIS)
def test_a_rate_limit_that_does_not_end_is_said(api: str, workshop: Workshop) -> None:
    with chatting(workshop, obey=lambda _: fail(429), api=api, retries=2) as chat:
        failed = chat.ask("Hello?")
    assert isinstance(failed, Failed)
    assert failed.code == "busy"
    assert len(chat.model.requests) == 3


def test_an_empty_answer_leaves_a_conversation_that_every_service_takes(workshop: Workshop) -> None:
    with chatting(workshop, say(""), say("Hello.")) as chat:
        chat.ask("Hello?")
        chat.ask("Hello?", conversation_id=workshop.store.conversations.list().rows[0].id)
    earlier = [one for one in chat.model.requests[1]["messages"] if one["role"] == "assistant"]
    assert [one["content"] for one in earlier] == [""], "null is only allowed beside calls"


REFUSED = [
    (fail(429), "busy"),
    (fail(401), "not_allowed"),
    (fail(404), "not_found"),
    (fail(500), "timeout"),
    (fail(400, "context_length_exceeded"), "too_large"),
]


@pytest.mark.parametrize(("step", "code"), REFUSED)
def test_what_a_service_refuses_is_said_with_a_code(step: Step, code: str, workshop: Workshop) -> None:
    with chatting(workshop, step, retries=0) as chat:
        failed = chat.ask("Hello?")
    assert isinstance(failed, Failed)
    assert failed.code == code
    assert failed.hint


def test_a_service_that_is_not_there_is_said(workshop: Workshop) -> None:
    access = ModelAccess("scripted", None, "http://127.0.0.1:9/v1", retries=0)
    failed = Chat(Responder(TOOLS, workshop, access), ScriptedModel()).ask("Hello?")
    assert isinstance(failed, Failed)
    assert "cannot be reached" in failed.message


@pytest.mark.parametrize("api", APIS)
def test_a_refusal_is_an_answer_that_says_so(api: str, workshop: Workshop) -> None:
    with chatting(workshop, {"text": "I will not.", "as": "refusal"}, api=api) as chat:
        done = chat.ask("Something bad.")
    assert isinstance(done, Done)
    assert (done.finish, done.text) == ("refusal", "I will not.")


def test_a_model_that_never_stops_calling_is_told_to_conclude(workshop: Workshop) -> None:
    def endless(request: dict[str, Any]) -> Step:
        stop = request["tool_choice"] == "none"
        return say("So far.") if stop else call(("decode_vin", VIN))

    with chatting(workshop, obey=endless, turns=3) as chat:
        done = chat.ask("Go on.")
    assert isinstance(done, Done)
    assert (done.turns, done.calls) == (4, 3)


@pytest.mark.parametrize("limits", [{"turns": 3}, {"calls": 5}])
def test_a_model_that_does_not_listen_is_stopped(limits: dict[str, int], workshop: Workshop) -> None:
    twice = call(("decode_vin", VIN), ("decode_vin", VIN))
    with chatting(workshop, obey=lambda _: twice, **limits) as chat:
        failed = chat.ask("Go on.")
    assert isinstance(failed, Failed)
    assert failed.code == "too_large"
    assert len(chat.all(ToolEnd)) <= 6


def test_tokens_are_limited(workshop: Workshop) -> None:
    with chatting(workshop, obey=lambda _: call(("decode_vin", VIN)), tokens=200) as chat:
        failed = chat.ask("Go on.")
    assert isinstance(failed, Failed)
    assert "tokens" in failed.message
    assert len(chat.model.requests) == 2


def test_time_is_limited_and_the_tool_is_told_to_stop(workshop: Workshop) -> None:
    stopped.clear()
    with chatting(workshop, call(("wait", {"seconds": 60.0})), seconds=2.0) as chat:
        failed = chat.ask("Wait.")
    assert isinstance(failed, Failed)
    assert failed.code == "timeout"
    until(lambda: stopped == [True])


def test_a_caller_that_leaves_stops_the_answer(workshop: Workshop) -> None:
    stopped.clear()

    async def leave(chat: Chat) -> None:
        events = chat.responder.ask(Question("Wait."))
        async for event in events:
            if isinstance(event, ToolStart):
                await asyncio.to_thread(waiting.wait, 30)
                break
        await events.aclose()

    waiting.clear()
    with chatting(workshop, call(("wait", {"seconds": 60.0}))) as chat:
        asyncio.run(leave(chat))
    until(lambda: stopped == [True])


def test_a_conversation_answers_one_question_at_a_time(workshop: Workshop) -> None:
    chat_id = workshop.store.conversations.create("Two at once").id

    async def two(chat: Chat) -> list[Event]:
        async def ask() -> Event:
            return [event async for event in chat.responder.ask(Question("Hi", conversation_id=chat_id))][-1]

        return list(await asyncio.gather(ask(), ask()))

    with chatting(workshop, say("Hello."), say("Hello.")) as chat:
        kinds = {type(event) for event in asyncio.run(two(chat))}
    assert kinds == {Done, Failed}


def test_a_long_conversation_is_shortened_for_the_model_and_kept_whole(workshop: Workshop) -> None:
    session_id = store_drive(workshop.store)
    asked = call(("query_signals", {"session_id": session_id, "signals": ["rpm"], "points": 200}))
    steps = [step for _ in range(6) for step in (asked, say("An answer " * 200))]
    with chatting(workshop, *steps, context_tokens=4_000) as chat:
        chat.ask("First question about rpm")
        chat_id = workshop.store.conversations.list().rows[0].id
        for number in range(5):
            chat.ask(f"Question {number}", conversation_id=chat_id)
    sizes = [len(str(request["messages"])) for request in chat.model.requests]
    assert max(sizes) < 4_000 * 4 * 1.3
    assert "First question about rpm" in str(chat.model.requests[-1]["messages"])
    assert len(workshop.store.conversations.messages(chat_id)) == 6 * 4


def test_the_conversation_remembers_the_session_it_is_about(workshop: Workshop) -> None:
    session_id = store_drive(workshop.store)
    steps = [call(("get_session", {"session_id": session_id})), say("A drive."), say("The same.")]
    with chatting(workshop, *steps) as chat:
        chat.ask("What is in it?")
        stored = workshop.store.conversations.list().rows[0]
        chat.ask("And again?", conversation_id=stored.id)
    assert stored.session_id == session_id
    assert f"The session in question is {session_id}" in chat.model.requests[-1]["messages"][0]["content"]


def until(true: Any) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
