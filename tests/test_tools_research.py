"""Research: the web through a configured service only, and findings kept with their sources."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from serving import served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.research import list_research, save_research, search_web

ROW = {"title": "P0420 \n explained", "url": "https://example.org/p0420", "content": "The catalyst …"}
SHAPES = [
    {"results": [ROW]},
    {"web": {"results": [{"title": "P0420 explained", "url": ROW["url"], "description": ROW["content"]}]}},
    {"items": [{"title": "P0420 explained", "link": ROW["url"], "snippet": ROW["content"]}]},
    [ROW, {"title": "no address"}, "nonsense", {"url": "javascript:alert(1)"}],
]


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@contextmanager
def search_service(answer: Response, asked: list[dict[str, str]]) -> Iterator[str]:
    async def door(request: Request) -> Response:
        asked.append(dict(request.query_params))
        return answer

    app: Any = Starlette(routes=[Route("/search", door)])
    with served(app) as address:
        yield f"{address}/search"


@pytest.mark.parametrize("shape", SHAPES)
def test_the_web_is_searched_through_the_configured_service(shape: Any, context: ToolContext) -> None:
    asked: list[dict[str, str]] = []
    with search_service(JSONResponse(shape), asked) as address:
        context.workshop.search_url = address
        found = search_web(context, "P0420 & Golf")
        context.workshop.search_url = address + "?words={query}"
        search_web(context, "P0420 & Golf")
    assert asked == [{"q": "P0420 & Golf", "format": "json"}, {"words": "P0420 & Golf"}]
    (hit,) = found.hits
    assert (hit.title, hit.url, hit.text) == ("P0420 explained", ROW["url"], ROW["content"])
    assert "not checked" in found.say()


def test_without_a_service_the_web_is_not_searched(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        search_web(context, "P0420")
    assert refused.value.code == "unsupported"
    assert "OBD_AGENT_SEARCH_URL" in refused.value.hint


BROKEN = [
    (Response("<html>", media_type="text/html"), "unsupported"),
    (Response(status_code=503), "unsupported"),
    (JSONResponse({"results": ["x" * 3_000_000]}), "too_large"),
]


@pytest.mark.parametrize(("answer", "code"), BROKEN)
def test_a_service_that_answers_wrong_is_said(answer: Response, code: str, context: ToolContext) -> None:
    with search_service(answer, []) as address:
        context.workshop.search_url = address
        with pytest.raises(ToolError) as refused:
            search_web(context, "P0420")
    assert refused.value.code == code


def test_a_service_that_is_not_there_is_said(context: ToolContext) -> None:
    context.workshop.search_url = "http://127.0.0.1:9/"
    with pytest.raises(ToolError) as refused:
        search_web(context, "P0420")
    assert refused.value.code == "timeout"


def test_a_finding_is_kept_with_its_sources_and_found_by_all_that_describes_it(context: ToolContext) -> None:
    car = context.store.vehicles.save(name="Golf")
    kept = save_research(
        context,
        "Intake gasket leaks are common",
        "Seen on many engines of this kind.",
        ["https://example.org/gasket", "golf.pdf page 12"],
        tags=["Vacuum Leak", "gasket"],
        vehicle_id=car.id,
        trouble_code="p0171",
    )
    save_research(context, "Something else", "Not about it: 100% other.", ["notes"], tags=["gaskets"])
    assert "golf.pdf page 12" in kept.say()
    for search in (
        {"tag": "vacuum leak"},
        {"tag": "gasket"},
        {"vehicle_id": car.id},
        {"trouble_code": "P0171"},
        {"text": "INTAKE gasket"},
    ):
        assert [row.id for row in list_research.run(context, search).research] == [kept.research.id], search
    assert list_research(context).total == 2
    assert list_research(context, text="100%").total == 1


BAD: list[dict[str, Any]] = [
    {"title": "No source", "text": "at all", "sources": []},
    {"title": "Bad code", "text": "text", "sources": ["here"], "trouble_code": "X9"},
    {"title": "Bad tag", "text": "text", "sources": ["here"], "tags": ['a"b']},
]


@pytest.mark.parametrize("arguments", BAD)
def test_a_finding_without_sources_or_with_bad_marks_is_refused(
    arguments: dict[str, Any], context: ToolContext
) -> None:
    with pytest.raises(ToolError) as refused:
        save_research.run(context, arguments)
    assert refused.value.code == "bad_arguments"


def test_a_finding_about_an_unknown_vehicle_is_refused(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        save_research.run(
            context, {"title": "Car", "text": "text", "sources": ["x y"], "vehicle_id": "veh_no"}
        )
    assert refused.value.code == "not_found"
