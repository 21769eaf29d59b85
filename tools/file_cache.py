"""Remembers answers of services as files, so that the same question is asked once."""

import hashlib
from collections.abc import Callable
from pathlib import Path


class FileCache:
    """One file per answer in a folder; call it with a key and what produces the answer where none is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, key: str, produce: Callable[[], str]) -> str:
        """Return the kept answer, or produce one and keep it; a failure keeps nothing."""
        file = self._folder / hashlib.sha256(key.encode()).hexdigest()[:32]
        if file.exists():
            return file.read_text(encoding="utf-8")
        answer = produce()
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(answer, encoding="utf-8")
        fresh.replace(file)
        return answer
