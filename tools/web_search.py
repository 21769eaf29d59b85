"""Asks a configured search service, and reads the answers of the usual kinds of such services."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from tools.errors import ToolError

LARGEST_ANSWER = 2_000_000
TIMEOUT_S = 15.0
_UNSET = (
    "Set OBD_AGENT_SEARCH_URL to a service that answers JSON, such as a SearXNG instance: "
    "https://searx.example/search?q={query}&format=json"
)


class WebPage(NamedTuple):
    """A page that a search service named."""

    title: str
    url: str
    text: str


def search(address: str | None, query: str, limit: int) -> list[WebPage]:
    """Return what the service at `address` (with {query} in it) found.

    Raises:
        ToolError: none is configured, it cannot be reached, or its answer cannot be read.
    """
    if not address:
        raise ToolError("unsupported", "No search service is set up.", _UNSET)
    if "{query}" not in address:
        joint = "&" if "?" in address else "?"
        address = f"{address}{joint}q={{query}}&format=json"
    body = _fetch(address.replace("{query}", quote_plus(query)))
    pages = [page for row in _rows(body) if (page := _page(row)) is not None]
    return pages[:limit]


def _fetch(url: str) -> Any:
    import httpx

    try:
        with httpx.stream("GET", url, timeout=TIMEOUT_S) as answer:
            answer.raise_for_status()
            data = b""
            for part in answer.iter_bytes():
                data += part
                if len(data) > LARGEST_ANSWER:
                    raise ToolError("too_large", "The search service sent too much.", "Try other words.")
        return json.loads(data)
    except httpx.TimeoutException as error:
        raise ToolError(
            "timeout", f"The search service did not answer within {TIMEOUT_S:g} s.", "Try again later."
        ) from error
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise ToolError("unsupported", f"The search service answered {status}.", _UNSET) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ToolError("timeout", "The search service cannot be reached.", _UNSET) from error
    except ValueError as error:
        raise ToolError("unsupported", "The search service did not answer JSON.", _UNSET) from error


def _rows(body: Any) -> list[Any]:
    """Return the list of results: at the top, under results or items, or under web.results."""
    for name in ("web", "results", "items", "data"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    return body if isinstance(body, list) else []


def _page(row: Any) -> WebPage | None:
    if not isinstance(row, dict):
        return None
    url = str(row.get("url") or row.get("link") or row.get("href") or "")
    text = str(row.get("content") or row.get("description") or row.get("snippet") or row.get("body") or "")
    if not url.startswith(("http://", "https://")):
        return None
    return WebPage(
        " ".join(str(row.get("title") or "").split())[:200], url[:1000], " ".join(text.split())[:500]
    )
