"""What a process of the sandbox reads about itself, through a /proc that later steps take away."""

import contextlib
import os
import resource

from sandbox.worker import kernel

_LIKELIEST_VICTIM = b"1000"


class Process:
    """Keeps /proc open from before the process loses sight of it; `self` in it is whoever asks."""

    def __init__(self) -> None:
        self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.parent = os.getpid()  # as a forked child sees it

    def threads(self) -> int:
        """Return how many threads this process has."""
        folder = os.open("self/task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
        try:
            return len(os.listdir(folder))  # noqa: PTH208 a descriptor is no path
        finally:
            os.close(folder)

    def address_space(self) -> int:
        """Return this process's address space in bytes."""
        file = os.open("self/statm", os.O_RDONLY, dir_fd=self._proc)
        try:
            return int(os.read(file, 200).split()[0]) * resource.getpagesize()
        finally:
            os.close(file)

    def offer_to_oom_killer(self) -> None:
        """Make this process the first to go when the machine runs out of memory, and let the zygote look at it.

        A process may write its own /proc files, and others of its user may read them, only while it is dumpable.
        """
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        file = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=self._proc)
        try:
            os.write(file, _LIKELIEST_VICTIM)
        finally:
            os.close(file)

    def nameless_bytes(self, pid: int, device: int) -> int:
        """Return what open files of process `pid` take on `device` that have no name any more, so no scan sees them."""
        total = 0
        with contextlib.suppress(OSError):  # it has ended, or is not looked at yet
            folder = os.open(f"{pid}/fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
            try:
                for name in os.listdir(folder):  # noqa: PTH208 a descriptor is no path
                    total += _nameless(name, folder, device)
            finally:
                os.close(folder)
        return total


def _nameless(name: str, folder: int, device: int) -> int:
    try:
        info = os.stat(name, dir_fd=folder)
    except OSError:
        return 0
    return info.st_blocks * 512 if info.st_dev == device and info.st_nlink == 0 else 0
