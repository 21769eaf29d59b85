"""A file system of its own for the sandbox: only what it may read, under the same paths; and no network.

Needs CAP_SYS_ADMIN, so it is there when the server is root on a plain machine, and not in a default container.
It is worth having for what Landlock does not cover (whether a file exists, how big it is), and it opens a way to
an interpreter below a folder such as /root that the sandbox's user could not pass.
"""

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from sandbox.worker import kernel

_NEW_MOUNTS, _NEW_UTS, _NEW_IPC, _NEW_NET = 0x00020000, 0x04000000, 0x08000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2
_OLD = "old"


def enter(read: Iterable[Path], write: Path) -> None:
    """Move this process into its own view of the disk: `read` read-only, `write` writable, nothing more.

    Raises OSError where the process lacks the privilege; nothing has changed then.
    """
    kernel.call("unshare", ctypes.c_int(_NEW_MOUNTS | _NEW_NET | _NEW_IPC | _NEW_UTS))
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    root = write / "root"
    root.mkdir(mode=0o755, exist_ok=True)
    _mount("tmpfs", root, kind="tmpfs", flags=_NO_SUID, data="mode=755,size=1m")
    for path in read:
        _show(path, root, _READ_ONLY | _NO_SUID | (0 if path.is_char_device() else _NO_DEV))
    _show(Path(os.devnull), root, _NO_SUID)
    _show(write, root, _NO_SUID | _NO_DEV | _NO_EXEC)
    kernel.call("sethostname", b"sandbox", ctypes.c_size_t(7))
    _turn(root)


def _show(path: Path, root: Path, flags: int) -> None:
    """Make `path` visible below `root` under its own name."""
    target = root / path.relative_to("/")
    if path.is_dir():
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
    else:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        target.touch()
    _mount(path, target, flags=_BIND)
    _mount("none", target, flags=_BIND | _REMOUNT | flags)


def _turn(root: Path) -> None:
    """Make `root` the root folder and let go of the old one."""
    (root / _OLD).mkdir(mode=0o700)
    kernel.call("pivot_root", bytes(root), bytes(root / _OLD))
    os.chdir("/")
    kernel.call("umount2", f"/{_OLD}".encode(), ctypes.c_int(_DETACH))
    Path("/", _OLD).rmdir()
    _mount("none", "/", flags=_REMOUNT | _READ_ONLY | _NO_SUID)


def _mount(
    source: str | Path, target: str | Path, kind: str = "none", flags: int = 0, data: str = ""
) -> None:
    kernel.call(
        "mount", os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
