"""Manuals and research at every door: added through one, found and cited through all the others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import mcp
import pytest
from fastapi.testclient import TestClient
from pdfs import write_pdf
from typer.testing import CliRunner

from server.app import build_app
from server.cli import app as command
from server.mcp_server import build_mcp_server
from tools import TOOLS
from tools.context import Workshop

PAGES = [
    "Contents of the workshop manual of a petrol engine",
    "Spark plugs: the tightening torque is 25 Nm, with a cold engine",
    None,
]
FINDING = {
    "title": "Catalyst code after a misfire",
    "text": "A misfire that lasted can have damaged the catalyst.",
    "sources": ["golf.pdf, page 2", "https://example.org/p0420"],
    "tags": ["catalyst"],
    "trouble_code": "p0420",
}
DOORS = ["http", "mcp", "shell"]


class Doors:
    """A workshop behind HTTP, MCP and the shell."""

    def __init__(self, workshop: Workshop, web: TestClient) -> None:
        self.workshop = workshop
        self.web = web

    def call(self, door: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if door == "http":
            return dict(self.web.post(f"/api/tools/{tool}", json=arguments).json())
        if door == "mcp":
            return anyio.run(self._over_mcp, tool, arguments)
        return dict(json.loads(CliRunner().invoke(command, ["call", tool, json.dumps(arguments)]).stdout))

    async def _over_mcp(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        async with mcp.Client(build_mcp_server(TOOLS, self.workshop)) as client:
            return dict((await client.call_tool(tool, arguments)).structured_content or {})

    def chat(self, text: str) -> str:
        return str(self.web.post("/api/chat", json={"message": text}).json()["answer"])


@pytest.fixture
def doors(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    monkeypatch.setenv("OBD_AGENT_HOME", str(tmp_path))
    monkeypatch.setenv("OBD_AGENT_DATABASE_URL", workshop.database_url)
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as web:
        yield Doors(workshop, web)


@pytest.mark.parametrize("door", DOORS)
def test_a_manual_is_added_at_any_door_and_cited_by_its_page_at_all(
    door: str, doors: Doors, tmp_path: Path
) -> None:
    manual = write_pdf(tmp_path / "golf.pdf", PAGES, roman=1)
    added = doors.call(door, "import_manual", {"path": str(manual)})
    assert (added["pages"], added["readable"], added["unreadable"]) == (3, 2, [3])
    for other in DOORS:
        (hit,) = doors.call(other, "search_manuals", {"query": "spark plug torque"})["hits"]
        assert (hit["name"], hit["page"], hit["printed"]) == ("golf.pdf", 2, "1")
        assert "25 Nm" in hit["excerpt"]
    answer = doors.chat("what does the manual say about spark plug torque?")
    assert "golf.pdf" in answer
    assert "page 2 (printed 1)" in answer
    assert "25 Nm" in answer


@pytest.mark.parametrize("door", DOORS)
def test_a_finding_is_kept_at_any_door_and_listed_at_all(door: str, doors: Doors) -> None:
    kept = doors.call(door, "save_research", FINDING)["research"]
    assert kept["trouble_code"] == "P0420"
    for other in DOORS:
        (row,) = doors.call(other, "list_research", {"trouble_code": "P0420", "tag": "catalyst"})["research"]
        assert (row["id"], row["sources"]) == (kept["id"], FINDING["sources"])
    assert "Sources: golf.pdf, page 2; https://example.org/p0420" in doors.chat("notes on P0420 please")
    assert "No research is kept" in doors.chat("show the saved research about P0300")


def test_a_search_of_the_web_is_off_until_a_service_is_set(doors: Doors) -> None:
    assert "No search service is set up" in doors.chat("search the web for a P0420 bulletin")
    assert doors.call("http", "search_web", {"query": "P0420"})["code"] == "unsupported"
