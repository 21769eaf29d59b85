"""Takes a run's files out of its scratch folder; trusts neither names nor types nor sizes."""

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import spreadsheet
from sandbox.content import sort
from sandbox.pictures import NotHandedOnError
from sandbox.results import Artifact

MOST = 60  # artifacts of one run
_DEPTH = 5
# No name that means something else once a door has decoded it.
_NAME = re.compile(
    r"(?!.*%[0-9A-Fa-f]{2})"
    r"[A-Za-z0-9 _.,()+=@\-\u00C0-\u024F\u0370-\u03FF\u0400-\u04FF\u4E00-\u9FFF°%]{1,120}"
)
_Stamp = tuple[int, int, int]


@dataclass
class Collected:
    """The files of a run that may be handed on, and why others may not."""

    artifacts: list[Artifact] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect(
    scratch: Path, target: Path, most_bytes: int, known: dict[str, _Stamp], most_together: int = 128 << 20
) -> Collected:
    """Copy what a run wrote below `scratch` to `target`, which is made when there is something to copy.

    A file may be of `most_bytes`, all together of `most_together`: holes in a file take no room until it is copied.
    `known` holds what earlier runs of the same workspace left; it is brought up to date, and only news is copied.
    """
    result, together = Collected(), 0
    for name, folder, entry in _files(scratch, result.notes):
        try:
            data, stamp = _read(folder, entry, most_bytes)
            if known.get(name) == stamp:
                continue
            known[name] = stamp
            if len(result.artifacts) >= MOST:
                raise NotHandedOnError(f"only the first {MOST} files are handed on")
            if together + len(data) > most_together:
                raise NotHandedOnError(f"at most {most_together >> 20} MB are handed on together")
            artifact, note = _keep(name, data, target)
            together += artifact.bytes
            result.artifacts.append(artifact)
            result.notes += [note] if note else []
        except (NotHandedOnError, OSError) as error:
            result.notes.append(f"{_printable(name)}: {error}")
    del result.notes[MOST:]
    return result


def _files(scratch: Path, notes: list[str]) -> Iterator[tuple[str, int, str]]:
    """Yield relative name, open folder and entry of every file; never goes through a link."""
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            folder = _open_folder(scratch, prefix)
        except OSError as error:
            notes.append(f"{_printable(prefix)}: {error.strerror}")
            continue
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            for entry in (entry for entry in entries if not entry.name.startswith(".")):
                name = prefix + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    yield name, folder, entry.name
                elif prefix.count("/") < _DEPTH:
                    pending.append(name + "/")
                else:
                    notes.append(f"{_printable(name)}: folders deeper than {_DEPTH} are left out")
        finally:
            os.close(folder)


def _open_folder(scratch: Path, relative: str) -> int:
    """Open a folder step by step, so that none of the steps can be a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(scratch, flags)
    for part in relative.split("/")[:-1]:
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, folder)
            folder = os.open(part, flags, dir_fd=folder)
    return folder


def _read(folder: int, entry: str, most_bytes: int) -> tuple[bytes, _Stamp]:
    file = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(file, "rb") as stream:
        info = os.fstat(file)
        if not stat.S_ISREG(info.st_mode):
            raise NotHandedOnError("not a plain file")
        if info.st_nlink != 1:
            raise NotHandedOnError("the file has a second name")
        if info.st_size > most_bytes:
            raise NotHandedOnError(f"{info.st_size >> 20} MB; at most {most_bytes >> 20} MB are handed on")
        return stream.read(most_bytes), (info.st_ino, info.st_size, info.st_mtime_ns)


def _keep(name: str, data: bytes, target: Path) -> tuple[Artifact, str]:
    """Copy one file and return it, with what was changed in it; raise NotHandedOnError when it may not leave."""
    if not all(_NAME.fullmatch(part) for part in name.split("/")):
        raise NotHandedOnError("a name with characters that do not belong into a file name")
    found = sort(name, data)
    data, cells = spreadsheet.harmless(data) if found.mime in spreadsheet.MIMES else (data, 0)
    path = target / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(data)
    kind = "thumbnail" if name.endswith(".thumb.png") else found.kind
    artifact = Artifact(
        name=name,
        mime=found.mime,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        kind=kind,
        path=str(path),
    )
    note = f"{name}: an apostrophe was put before {cells} cells that a spreadsheet would run" if cells else ""
    return artifact, note


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:120]
