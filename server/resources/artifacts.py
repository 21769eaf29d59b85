"""Stored files by id: plots, reports, exports."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Response

from server.errors import REFUSALS
from tools.context import Workshop

# What a browser may show in place; anything else, a stored page above all, is only ever saved.
_SHOWN = frozenset(
    {"image/png", "image/jpeg", "application/pdf", "text/plain", "text/csv", "application/json"}
)


def artifact_routes(workshop: Workshop) -> APIRouter:
    """Return the route of the artifacts."""
    router = APIRouter(prefix="/api/artifacts", tags=["artifacts"], responses=REFUSALS)

    @router.get(
        "/{artifact_id}",
        response_class=Response,
        responses={200: {"content": {"*/*": {}}}, 304: {"description": "You have it."}},
    )
    def read_artifact(
        artifact_id: Annotated[str, Path(min_length=1, max_length=64)],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return a stored file; it never changes, so its id is its ETag."""
        artifact = workshop.store.artifacts.get(artifact_id)
        headers = {"ETag": f'"{artifact.id}"', "Cache-Control": "private, max-age=31536000, immutable"}
        if if_none_match is not None and headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        how = "inline" if artifact.mime in _SHOWN else "attachment"
        headers["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(artifact.name, safe='')}"
        return Response(artifact.data or b"", media_type=artifact.mime, headers=headers)

    return router
