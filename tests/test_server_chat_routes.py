"""The chat at its doors: /api/chat, /api/conversations, OpenAI's API with its own client, the command line."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from scripted_model import ScriptedModel, Step, call, fail, say
from serving import served
from stored_drives import store_drive
from test_server_chat_loop import stopped, until, wait, waiting
from test_server_chat_trust import delete_it
from typer.testing import CliRunner

from server.app import build_app
from server.chat.builtin import NAME
from server.chat.model import ModelAccess
from server.chat.responder import Responder
from server.cli import app as command
from storage.store import open_store
from tools import TOOLS
from tools.context import Workshop

VIN = {"vin": "1HGCM82633A004352"}
SCRIPT = [call(("decode_vin", VIN), text="One moment."), say("A Honda of 2003.")]


@contextmanager
def chat_server(workshop: Workshop, *steps: Step) -> Iterator[tuple[str, ScriptedModel]]:
    """Serve the whole application with a scripted model behind it."""
    model = ScriptedModel(*steps)
    with served(model.app) as address:
        access = ModelAccess("scripted", SecretStr("k"), f"{address}/v1", retries=0)
        responder = Responder(TOOLS, workshop, access)
        with served(build_app(TOOLS, workshop, responder=responder)) as own:
            yield own, model


@pytest.fixture
def web(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        yield client


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block for block in response.text.replace("\r\n", "\n").split("\n\n") if "event:" in block]
    fields = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [(one["event"], json.loads(one["data"])) for one in fields]


def test_a_question_is_answered_as_json(workshop: Workshop) -> None:
    with chat_server(workshop, *SCRIPT) as (address, _):
        body = httpx.post(f"{address}/api/chat", json={"message": "Which car?"}).json()
    assert body["answer"] == "A Honda of 2003."
    assert body["model"] == "scripted"
    assert [(use["tool"], use["arguments"], use["ok"]) for use in body["tools"]] == [
        ("decode_vin", VIN, True)
    ]


def test_a_question_is_answered_as_events(workshop: Workshop) -> None:
    with chat_server(workshop, *SCRIPT) as (address, _):
        accept = {"accept": "text/event-stream"}
        response = httpx.post(f"{address}/api/chat", json={"message": "Which car?"}, headers=accept)
    events = events_of(response)
    names = [name for name, _ in events]
    assert names[0] == "start"
    assert names[-1] == "done"
    assert [name for name in names if name.startswith("tool")] == ["tool.start", "tool.end"]
    text = "".join(body["text"] for name, body in events if name == "text.delta")
    assert text == "One moment.\n\nA Honda of 2003."


def test_an_error_of_the_model_is_the_same_as_json_and_as_event(workshop: Workshop) -> None:
    with chat_server(workshop, fail(429), fail(429)) as (address, _):
        asked = {"json": {"message": "Hello?"}}
        plain = httpx.post(f"{address}/api/chat", **asked)
        streamed = httpx.post(f"{address}/api/chat", headers={"accept": "text/event-stream"}, **asked)
    name, body = events_of(streamed)[-1]
    assert name == "error"
    assert plain.status_code == 429
    assert plain.json() == {key: body[key] for key in ("code", "message", "hint")}


def test_a_client_that_disconnects_stops_the_answer_and_its_tool(workshop: Workshop) -> None:
    stopped.clear()
    model = ScriptedModel(call(("wait", {"seconds": 60.0})))
    with served(model.app) as address:
        access = ModelAccess("scripted", SecretStr("k"), f"{address}/v1", retries=0)
        responder = Responder((wait,), workshop, access)
        with served(build_app((wait,), workshop, responder=responder)) as own:
            asked = {"json": {"message": "Wait."}, "headers": {"accept": "text/event-stream"}}
            with httpx.stream("POST", f"{own}/api/chat", **asked) as response:
                next(line for line in response.iter_lines() if "tool.start" in line)
            until(lambda: stopped == [True])
            chats = httpx.get(f"{own}/api/conversations").json()["conversations"]
            assert [chat["messages"] for chat in chats] == [1], "the question is kept, the broken step is not"


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_a_client_that_does_not_wait_for_the_whole_answer_stops_it(path: str, workshop: Workshop) -> None:
    stopped.clear()
    waiting.clear()
    model = ScriptedModel(call(("wait", {"seconds": 60.0})))
    asked = [{"role": "user", "content": "Wait."}]
    body: dict[str, Any] = {"message": "Wait."} if path == "/api/chat" else {"messages": asked}
    with served(model.app) as address:
        access = ModelAccess("scripted", SecretStr("k"), f"{address}/v1", retries=0)
        responder = Responder((wait,), workshop, access)
        with served(build_app((wait,), workshop, responder=responder)) as own:

            async def leave() -> None:
                async with httpx.AsyncClient(timeout=60) as client:
                    asking = asyncio.create_task(client.post(f"{own}{path}", json=body))
                    await asyncio.to_thread(waiting.wait, 30)
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)

            asyncio.run(leave())
            until(lambda: stopped == [True])


def test_a_conversation_is_listed_continued_renamed_exported_and_deleted(
    web: TestClient, workshop: Workshop
) -> None:
    session_id = store_drive(workshop.store)
    first = web.post("/api/chat", json={"message": "what does P0420 mean?", "session_id": session_id}).json()
    chat_id = first["conversation_id"]
    web.post("/api/chat", json={"message": "plot rpm", "conversation_id": chat_id})
    (row,) = web.get("/api/conversations").json()["conversations"]
    assert (row["title"], row["session_id"], row["messages"]) == ("what does P0420 mean?", session_id, 4)
    renamed = web.patch(f"/api/conversations/{chat_id}", json={"title": "The catalyst"}).json()
    assert renamed["title"] == "The catalyst"
    exported = web.get(f"/api/conversations/{chat_id}").json()
    assert [one["content"]["role"] for one in exported["messages"]] == ["user", "assistant"] * 2
    text = web.get(f"/api/conversations/{chat_id}", params={"format": "markdown"}).text
    assert text.startswith("# The catalyst\n\n**Question:** what does P0420 mean?")
    assert web.delete(f"/api/conversations/{chat_id}").json() == {"conversations": 1, "messages": 4}
    assert web.get(f"/api/conversations/{chat_id}").status_code == 404


BAD = [
    ({"message": ""}, 422),
    ({"message": "x", "massage": "y"}, 422),
    ({"message": "x", "conversation_id": "cnv_none"}, 404),
    ({"message": "x", "session_id": "ses_none"}, 404),
    ({"message": "x", "vehicle_id": "veh_none"}, 404),
]


@pytest.mark.parametrize(("body", "status"), BAD)
def test_a_bad_request_is_refused_and_leaves_no_conversation(
    body: dict[str, str], status: int, web: TestClient
) -> None:
    refused = web.post("/api/chat", json=body)
    assert refused.status_code == status
    assert refused.json()["hint"]
    assert web.get("/api/conversations").json()["total"] == 0


@pytest.mark.parametrize("stream", [False, True])
def test_the_official_client_chats(stream: bool, workshop: Workshop) -> None:
    with chat_server(workshop, *SCRIPT) as (address, model):
        client = openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)
        messages: list[Any] = [
            {"role": "system", "content": "Answer like a pirate."},
            {"role": "user", "content": [{"type": "text", "text": "Which car?"}]},
        ]
        if stream:
            options: Any = {"include_usage": True}
            chunks = list(
                client.chat.completions.create(
                    model="obd-agent", messages=messages, stream=True, stream_options=options
                )
            )
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            finish, usage = chunks[-2].choices[0].finish_reason, chunks[-1].usage
        else:
            whole = client.chat.completions.create(model="obd-agent", messages=messages)
            text, finish, usage = (
                whole.choices[0].message.content or "",
                whole.choices[0].finish_reason,
                whole.usage,
            )
        client.close()
    assert text.endswith("A Honda of 2003.")
    assert finish == "stop"
    assert usage is not None
    assert usage.total_tokens == 220
    shown = model.requests[0]["messages"]
    assert [message["role"] for message in shown] == ["system", "user", "user"]
    assert "diagnostic assistant" in shown[0]["content"], "a client's system message does not replace ours"
    assert workshop.store.conversations.list().total == 0


def test_the_official_client_lists_models_and_uses_the_built_in_one(workshop: Workshop) -> None:
    with chat_server(workshop) as (address, _):
        client = openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)
        names = [model.id for model in client.models.list()]
        question: Any = [{"role": "user", "content": "what does P0420 mean?"}]
        answer = client.chat.completions.create(model=NAME, messages=question)
        client.close()
    assert names == ["obd-agent", "scripted", NAME]
    assert "Built-in responder" in str(answer.choices[0].message.content)


def test_the_official_client_gets_errors_it_knows(workshop: Workshop) -> None:
    question: Any = [{"role": "user", "content": "Hello?"}]
    with chat_server(workshop, fail(429), fail(429)) as (address, _):
        client = openai.OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)
        with pytest.raises(openai.NotFoundError, match="There is no model"):
            client.chat.completions.create(model="gpt-x", messages=question)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="obd-agent", messages=question)
        with pytest.raises(openai.APIError, match="answered 429"):
            list(client.chat.completions.create(model="obd-agent", messages=question, stream=True))
        client.close()


@pytest.fixture
def shell(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("OBD_AGENT_HOME", str(tmp_path))
    monkeypatch.setenv("OBD_AGENT_DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.delenv("OBD_AGENT_MODEL", raising=False)
    return CliRunner()


def test_a_technician_asks_from_the_shell(shell: CliRunner) -> None:
    plain = shell.invoke(command, ["chat", "what does P0420 mean?"])
    assert plain.exit_code == 0
    assert "Catalyst" in plain.stdout
    as_json = json.loads(shell.invoke(command, ["chat", "--json", "what does P0420 mean?"]).stdout)
    assert as_json["tools"][0]["tool"] == "lookup_trouble_code"


def test_a_conversation_in_the_shell_goes_on_until_an_empty_line(shell: CliRunner) -> None:
    done = shell.invoke(command, ["chat"], input="what does P0420 mean?\nlist my sessions\n\n")
    assert done.exit_code == 0
    assert "Catalyst" in done.stdout
    assert "No sessions yet" in done.stdout


def test_the_shell_uses_the_model_that_the_settings_name(
    shell: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(say("Hello from the model."))
    with served(model.app) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
        monkeypatch.setenv("OBD_AGENT_MODEL", "scripted")
        done = shell.invoke(command, ["chat", "hello"])
    assert done.stdout.strip() == "Hello from the model."


@pytest.mark.parametrize(("said", "left"), [("y", 0), ("n", 1)])
def test_a_person_at_the_terminal_decides_what_the_model_may_delete(
    said: str, left: int, shell: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'test.db'}") as store:
        session_id = store_drive(store)
    model = ScriptedModel(obey=delete_it(session_id))
    with served(model.app) as address:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
        monkeypatch.setenv("OBD_AGENT_MODEL", "scripted")
        done = shell.invoke(command, ["chat"], input=f"delete it\n{said}\n\n")
    assert "Approve once: Delete a session" in done.output
    assert session_id in done.output
    with open_store(f"sqlite:///{tmp_path / 'test.db'}") as store:
        assert store.sessions.list().total == left


def test_the_shell_shows_how_well_the_built_in_responder_understands(shell: CliRunner) -> None:
    done = shell.invoke(command, ["eval"])
    assert done.exit_code == 0, done.stdout
    assert "right" in done.stdout
