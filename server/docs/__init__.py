"""The API's documentation at /docs: Swagger UI from an installed package, so that it works without internet."""

from importlib.resources import files

from fastapi import FastAPI, Response
from starlette.staticfiles import StaticFiles

# Of the package only the files are used: its own code keeps the inline script that our Content-Security-Policy forbids.
_SWAGGER_UI = files("fastapi_standalone_docs") / "static" / "swagger"


def add_docs(app: FastAPI) -> None:
    """Add the page, the script that starts it, and the files of Swagger UI."""
    page, script = ((files(__name__) / name).read_bytes() for name in ("page.html", "start.js"))

    @app.get("/docs", include_in_schema=False)
    def read_page() -> Response:
        return Response(page, media_type="text/html")

    @app.get("/docs/start.js", include_in_schema=False)
    def read_script() -> Response:
        return Response(script, media_type="text/javascript")

    app.mount("/docs/files", StaticFiles(directory=str(_SWAGGER_UI)))
