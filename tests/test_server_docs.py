"""The API's documentation works where there is no internet, under the same security policy as everything else."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from chromium import browser_page
from fastapi.testclient import TestClient
from serving import served

from server.app import build_app
from tools import TOOLS
from tools.context import Workshop

TYPES = {".css": "text/css", ".js": "text/javascript", ".json": "application/json"}


class References(HTMLParser):
    """What a page refers to, and the scripts and styles it holds itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.addresses += [value for name in ("href", "src") if (value := given.get(name)) is not None]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


def test_everything_the_page_refers_to_comes_from_this_server(workshop: Workshop) -> None:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        page = client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        found = References(page.text)
        files = [address for address in found.addresses if not address.startswith("data:")]
        assert {Path(address).suffix for address in files} == set(TYPES)
        for address in files:
            assert not urlsplit(address).netloc
            answer = client.get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(TYPES[Path(address).suffix])
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert not client.get("/docs/files/nothing.js").is_success
        assert not client.get("/docs/files/../../__init__.py").is_success


def test_the_page_needs_no_exception_from_the_security_policy(workshop: Workshop) -> None:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        page = client.get("/docs")
        assert References(page.text).inline == []
        policy = page.headers["content-security-policy"]
        assert policy == client.get("/api/sessions").headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "http" not in policy


def test_a_browser_shows_every_operation_and_asks_nobody_else(workshop: Workshop, tmp_path: Path) -> None:
    with served(build_app(TOOLS, workshop)) as url, browser_page(tmp_path / "browser") as page:
        paths = httpx.get(f"{url}/openapi.json").json()["paths"]
        operations = sum(len(methods) for methods in paths.values())
        page.go(f"{url}/docs")
        page.wait_for("document.querySelectorAll('.opblock').length")
        assert page.run("document.querySelectorAll('.opblock').length") == operations
        page.run(
            "document.querySelector('#operations-tools-decode_vin_api_tools_decode_vin_post button').click()"
        )
        shown = page.wait_for("document.querySelector('.opblock.is-open .opblock-body')?.innerText")
        assert "Responses" in shown
        assert page.complaints == []
        assert page.requests
        hosts = {urlsplit(address).hostname for address in page.requests if not address.startswith("data:")}
        assert hosts == {"127.0.0.1"}
