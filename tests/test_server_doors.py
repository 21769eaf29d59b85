"""All doors show the same tools, give the same answers and the same errors."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import mcp
import pytest
from fastapi.testclient import TestClient
from serving import served
from typer.testing import CliRunner

from server.app import build_app
from server.cli import app as command
from server.cli.shell import CommandFailedError
from server.mcp_server import build_mcp_server
from tools import TOOLS
from tools.context import Workshop

LOCAL = {"base_url": "http://127.0.0.1:8000"}
VIN = {"vin": "1HGCM82633A004352"}
ERAS = ["legacy", "auto"]
BAD_CALLS = [
    ("decode_vin", {"vin": "1HGCM82633A004352", "vim": 1}, "bad_arguments"),
    ("decode_vin", {}, "bad_arguments"),
    ("decode_vin", {"vin": "TOO SHORT"}, "bad_arguments"),
    ("get_session", {"session_id": "ses_nowhere"}, "not_found"),
    ("import_log", {"path": "/nowhere/at/all.csv"}, "not_found"),
    ("query_signals", {"session_id": "ses_nowhere", "signals": ["rpm"], "points": 10**9}, "bad_arguments"),
    ("start_capture", {"adapter": "socket://127.0.0.1:9"}, "car_unreachable"),
    ("start_capture", {"adapter": "carrier-pigeon:7"}, "bad_arguments"),
]


@pytest.fixture
def web(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), **LOCAL) as client:
        yield client


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("OBD_AGENT_HOME", str(tmp_path))
    monkeypatch.setenv("OBD_AGENT_DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    return CliRunner()


def over_mcp(workshop: Workshop, era: str, name: str, arguments: dict[str, Any]) -> mcp.types.CallToolResult:
    async def call() -> mcp.types.CallToolResult:
        async with mcp.Client(build_mcp_server(TOOLS, workshop), mode=era) as client:
            return await client.call_tool(name, arguments)

    return anyio.run(call)


def listed_over_mcp(workshop: Workshop, era: str) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with mcp.Client(build_mcp_server(TOOLS, workshop), mode=era) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return anyio.run(ask)


@pytest.mark.parametrize("era", ERAS)
def test_every_door_shows_the_same_schemas(
    era: str, workshop: Workshop, web: TestClient, shell: CliRunner
) -> None:
    by_mcp = listed_over_mcp(workshop, era)
    by_http = {tool["name"]: tool for tool in web.get("/api/tools").json()}
    by_shell = {tool["name"]: tool for tool in json.loads(shell.invoke(command, ["tools", "--json"]).stdout)}
    assert list(by_mcp) == list(by_http) == list(by_shell) == [tool.name for tool in TOOLS]
    for tool in TOOLS:
        assert by_mcp[tool.name].input_schema == by_http[tool.name]["input_schema"] == tool.input_schema
        assert by_mcp[tool.name].output_schema == by_http[tool.name]["output_schema"] == tool.output_schema
        assert by_http[tool.name] == by_shell[tool.name]


def test_the_openapi_document_takes_and_gives_what_the_tools_do(web: TestClient) -> None:
    document = web.get("/openapi.json").json()
    for tool in TOOLS:
        route = document["paths"][f"/api/tools/{tool.name}"]["post"]
        reference = route["requestBody"]["content"]["application/json"]["schema"]
        body = document["components"]["schemas"][_model_name(reference)]
        assert set(body.get("properties", {})) == set(tool.input_schema["properties"])
        assert body["additionalProperties"] is False


def _model_name(schema: dict[str, Any]) -> str:
    reference = schema.get("$ref") or schema["allOf"][0]["$ref"]
    return str(reference).rpartition("/")[2]


def test_every_door_gives_the_same_answer(workshop: Workshop, web: TestClient, shell: CliRunner) -> None:
    by_http = web.post("/api/tools/decode_vin", json=VIN).json()
    by_shell = json.loads(shell.invoke(command, ["call", "decode_vin", json.dumps(VIN)]).stdout)
    for era in ERAS:
        result = over_mcp(workshop, era, "decode_vin", VIN)
        assert result.structured_content == by_http == by_shell
        assert not result.is_error
        assert VIN["vin"] in result.content[0].text


@pytest.mark.parametrize(("name", "arguments", "code"), BAD_CALLS)
def test_every_door_gives_the_same_error(
    name: str, arguments: dict[str, Any], code: str, workshop: Workshop, web: TestClient, shell: CliRunner
) -> None:
    by_http = web.post(f"/api/tools/{name}", json=arguments)
    assert by_http.status_code >= 400
    body = by_http.json()
    assert body["code"] == code
    assert body["message"]
    assert body["hint"]
    for era in ERAS:
        result = over_mcp(workshop, era, name, arguments)
        assert result.is_error
        assert json.loads(result.content[0].text) == body
    refused = shell.invoke(command, ["call", name, json.dumps(arguments)]).exception
    assert isinstance(refused, CommandFailedError)
    assert refused.error.body() == body


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_finite_is_refused(number: str, web: TestClient, shell: CliRunner) -> None:
    arguments = f'{{"session_id": "ses_nowhere", "signals": ["rpm"], "start_s": {number}}}'
    headers = {"content-type": "application/json"}
    by_http = web.post("/api/tools/query_signals", content=arguments, headers=headers)
    assert by_http.status_code == 422
    refused = shell.invoke(command, ["call", "query_signals", arguments]).exception
    assert isinstance(refused, CommandFailedError)
    assert refused.error.body() == by_http.json()
    assert "finite" in refused.error.message


@pytest.mark.parametrize("era", ERAS)
def test_mcp_over_http_shows_and_answers_the_same(era: str, workshop: Workshop) -> None:
    with served(build_app(TOOLS, workshop)) as url:

        async def ask() -> tuple[list[str], Any, Any]:
            async with mcp.Client(f"{url}/mcp", mode=era) as client:
                names = [tool.name for tool in (await client.list_tools()).tools]
                bad = await client.call_tool("decode_vin", {**VIN, "typo": 1})
                return names, (await client.call_tool("decode_vin", VIN)).structured_content, bad

        names, over_http, bad = anyio.run(ask)
    assert names == [tool.name for tool in TOOLS]
    assert over_http == over_mcp(workshop, era, "decode_vin", VIN).structured_content
    assert json.loads(bad.content[0].text)["code"] == "bad_arguments"


def test_an_unknown_tool_is_not_found_at_every_door(
    workshop: Workshop, web: TestClient, shell: CliRunner
) -> None:
    assert web.post("/api/tools/fly", json={}).json()["code"] == "not_found"
    assert json.loads(over_mcp(workshop, "auto", "fly", {}).content[0].text)["code"] == "not_found"
    refused = shell.invoke(command, ["call", "fly"]).exception
    assert isinstance(refused, CommandFailedError)
    assert refused.error.code == "not_found"


def test_a_body_that_is_no_object_is_refused(web: TestClient) -> None:
    for body in (b"[1]", b"{", b"", b"\xff\xfe"):
        refused = web.post(
            "/api/tools/decode_vin", content=body, headers={"content-type": "application/json"}
        )
        assert refused.status_code == 422
        assert refused.json()["code"] == "bad_arguments"


def obd_agent(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from server.cli import main; main()", *arguments]


@pytest.mark.parametrize("era", ERAS)
def test_the_command_speaks_mcp_over_standard_input_and_output(era: str, tmp_path: Path) -> None:
    command_line = obd_agent("mcp", "--toolsets", "lookup")
    start = mcp.StdioServerParameters(
        command=command_line[0], args=command_line[1:], env={**os.environ, "OBD_AGENT_HOME": str(tmp_path)}
    )

    async def ask() -> tuple[list[str], mcp.types.CallToolResult]:
        async with mcp.Client(start, mode=era) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            return names, await client.call_tool("decode_vin", VIN)

    names, result = anyio.run(ask)
    assert names == [tool.name for tool in TOOLS if tool.toolset == "lookup"]
    assert result.structured_content["vin"] == VIN["vin"]


def test_a_typescript_client_lists_and_calls_the_tools(tmp_path: Path) -> None:
    folder = Path(__file__).parent / "typescript"
    if not shutil.which("node") or not (folder / "node_modules").exists():
        pytest.skip("needs node and the packages of tests/typescript (npm ci)")
    done = subprocess.run(
        ["node", "client.mjs", *obd_agent("mcp")],
        cwd=folder,
        env={**os.environ, "OBD_AGENT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert seen["tools"] == [tool.name for tool in TOOLS]
    assert seen["good"]["structuredContent"]["vin"] == VIN["vin"]
    assert json.loads(seen["bad"]["content"][0]["text"])["code"] == "bad_arguments"
