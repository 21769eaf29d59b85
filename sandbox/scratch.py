"""A run's scratch folder: made for it, measured while it runs, and removed however deep it has grown."""

import errno
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.worker.orders import OWN_FOLDER

_PREFIX = "obd-agent-sandbox-"
# A folder that is closed to us, or lies deeper than a path can be long: only code that hides files makes one.
_HIDDEN = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)


def make_house(uid: int | None) -> Path:
    """Make the folder that holds all scratch folders of this server and return it.

    It lies in the system's temporary folder: a home below /root could not be reached by the sandbox's own user.
    """
    _remove_leftovers()
    house = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    house.chmod(0o711)  # ours: the sandbox's user passes through it and owns only folders in it
    make(house, OWN_FOLDER, uid)
    return house


def make(house: Path, run: str, uid: int | None) -> Path:
    """Make and return the scratch folder of one run."""
    path = house / run
    path.mkdir(mode=0o700)
    _hand_over(path, uid)
    return path


def _hand_over(path: Path, uid: int | None) -> None:
    if uid is not None:
        os.chown(path, uid, uid, follow_symlinks=False)


def _remove_leftovers() -> None:
    """Remove what servers of this user left behind that no longer live."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists() and _is_ours(path):
            remove(path)


def _is_ours(path: Path) -> bool:
    info = path.lstat()
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid()


@dataclass(frozen=True)
class Usage:
    """What lies in a scratch folder; counting stops once either limit is passed."""

    bytes: int
    entries: int
    hidden: bool = False  # there is a folder that cannot be looked into


def measure(path: Path, max_bytes: int, max_entries: int) -> Usage:
    """Add up files and folders below `path`, without following anything and without going deep by recursion."""
    total = entries = 0
    folders = [path]
    while folders and total <= max_bytes and entries <= max_entries:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    entries += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    else:
                        total += _on_disk(entry)
                    if entries > max_entries:
                        break
        except OSError as error:
            if error.errno in _HIDDEN:
                return Usage(total, entries, hidden=True)
            continue  # removed while we looked
    return Usage(total, entries)


def _on_disk(entry: os.DirEntry[str]) -> int:
    try:
        info = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return max(info.st_blocks * 512, min(info.st_size, 1))


def remove(path: Path) -> None:
    """Remove a folder with all it holds; its tree may be deeper than a path can be long.

    It is made flat first: shutil.rmtree keeps a descriptor open for every level, and a tree that a run made deep on
    purpose would leave the server without any.
    """
    try:
        _flatten(path)
    except FileNotFoundError:
        return
    shutil.rmtree(path, ignore_errors=True)


def _flatten(path: Path) -> None:
    """Pull nested folders up to the first level, so that nothing lies deeper than two."""
    path.chmod(0o700)
    moved = 0
    pending = [entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink()]
    while pending:
        folder = pending.pop()
        folder.chmod(0o700)
        for entry in list(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                moved += 1
                target = path / f"{moved}.pulled-up"
                entry.chmod(0o700)
                entry.rename(target)
                pending.append(target)
