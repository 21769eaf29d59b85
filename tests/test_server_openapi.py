"""Every route keeps to what OpenAPI says of it, whatever is sent, also where requests reach what exists.

OBD_AGENT_FUZZ_EXAMPLES sets how many requests a route gets in each mode; more than usual are drawn anew each time.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from live_server import running
from openapi_hits import Filled, aimed, with_wanted
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import served

from server.errors import STATUS
from server.limits import Limits
from tools import TOOLS
from tools.context import Workshop
from tools.intake.arrow import MEDIA_TYPE

USUAL = 8
EXAMPLES = int(os.environ.get("OBD_AGENT_FUZZ_EXAMPLES", USUAL))
DONE = {200, 201, 204, 304}
# The web's own refusals, which no code of ours has as its status.
WEB = {400, 401, 405, 415, 421}


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A search service that finds one page."""
    app = FastAPI()
    page = {"title": "P0171", "url": "https://example.org/p0171", "content": "Too lean."}
    app.add_api_route("/search", lambda: {"results": [page]})
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, service: str) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("openapi")
    opened = Workshop(home, f"sqlite:///{home / 'test.db'}", reduced_sandbox=True)
    opened.search_url = f"{service}/search"
    with pytest.MonkeyPatch.context() as patch:
        # The service of vehicle identification numbers is on the internet; here nothing listens.
        patch.setattr("vehicle.vin.online.URL", "http://127.0.0.1:9/{vin}")
        yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(workshop: Workshop) -> Iterator[str]:
    with running(workshop, Limits(requests_per_s=0)) as address:
        yield address


@pytest.fixture(scope="module")
def filled(workshop: Workshop, address: str) -> Iterator[Filled]:
    filled = Filled(workshop, address)
    yield filled
    filled.close()


@schemathesis.serializer(MEDIA_TYPE)
def no_arrow(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "replace")


def refuses_as_every_door(context: Any, response: Any, case: schemathesis.Case) -> None:
    """Check the error body, and that its code and the status belong together; a bug is never an answer."""
    if response.status_code < 400:
        return
    body = response.json()
    if case.path.startswith("/v1") and "error" in body:
        assert body["error"]["message"]
        code = body["error"]["code"]
    else:
        assert body["message"]
        assert body["hint"]
        code = body["code"]
    assert code != "internal_error"
    assert response.status_code in {STATUS[code], *WEB}


CHECKS = [
    refuses_as_every_door,
    response_schema_conformance,
    status_code_conformance,
    content_type_conformance,
]


def aim(case: schemathesis.Case, data: st.DataObject, known: dict[str, list[Any]]) -> None:
    """Make a case reach what exists."""
    draw = data.draw
    case.body = aimed(draw, known, case.path, with_wanted(draw, case.path, case.body))
    for part in ("path_parameters", "query"):
        held = getattr(case, part)
        if held:
            setattr(case, part, aimed(draw, known, case.path, dict(held)))


# Each request to these talks to a car, or starts Python, for most of a second.
SLOW = ("/check_adapter", "/run_guided_test", "/run_python")


def try_route(
    operation: Any, mode: GenerationMode, known: dict[str, list[Any]], attempt: int = 0
) -> set[int]:
    """Send a route what it takes, or what it should not; return the statuses it answered."""
    got: set[int] = set()

    @settings(
        max_examples=max(1, EXAMPLES // 3) if operation.path.endswith(SLOW) else EXAMPLES,
        derandomize=EXAMPLES <= USUAL and attempt == 0,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.data())
    def try_one(case: schemathesis.Case, data: st.DataObject) -> None:
        aim(case, data, known)
        got.add(case.call_and_validate(checks=CHECKS, timeout=60).status_code)

    if attempt:
        try_one = seed(attempt)(try_one)
    # A route without arguments has nothing that could be wrong with them.
    with suppress(Unsatisfiable):
        try_one()
    return got


def references(value: Any) -> Iterator[str]:
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, dict | list):
            yield from references(one)
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]


def test_every_reference_in_the_document_leads_somewhere(address: str) -> None:
    document = httpx.get(f"http://{address}/openapi.json", timeout=60).json()
    found = set(references(document))
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


@pytest.mark.timeout(120 if EXAMPLES <= USUAL else 0)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_route_keeps_to_what_openapi_says(mode: GenerationMode, address: str, filled: Filled) -> None:
    schema = schemathesis.openapi.from_url(f"http://{address}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    paths = {operation.path for operation in operations}
    assert paths > {f"/api/tools/{tool.name}" for tool in TOOLS}
    assert paths > {"/api/chat", "/v1/chat/completions", "/api/approvals/{approval_id}", "/metrics"}
    faults: list[Exception] = []
    unreached: list[Any] = []
    for operation in operations:
        filled.fill()
        try:
            got = try_route(operation, mode, filled.known(operation.path))
        except Exception as fault:
            faults.append(fault)
        else:
            if not got & DONE:
                unreached.append(operation)
    if faults:
        raise ExceptionGroup(f"{len(faults)} routes", faults)
    if mode == GenerationMode.POSITIVE:
        assert {operation.label for operation in unreached if not is_reached(operation, filled)} == set()


def is_reached(operation: Any, filled: Filled) -> bool:
    """Tell whether a route does what it is for when it is tried some more; few requests can all miss by chance."""
    filled.fill()
    known = filled.known(operation.path)
    return any(
        try_route(operation, GenerationMode.POSITIVE, known, attempt) & DONE for attempt in range(1, 8)
    )
