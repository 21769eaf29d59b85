"""Where the real recordings are, for tests that read them."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("OBD_AGENT_RECORDINGS", Path(__file__).parents[1].parent / "shared" / "data"))


def recording(name: str) -> Path:
    """Return the path of a real recording, or skip the test where the folder is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs the real recording {name}; set OBD_AGENT_RECORDINGS to the folder that holds it")
    return path
