"""What a process of the sandbox reads about itself, through a /proc that later steps take away."""

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
        return self._pages(0)

    def resident(self) -> int:
        """Return this process's resident memory in bytes."""
        return self._pages(1)

    def offer_to_oom_killer(self) -> None:
        """Make this process the first to go when the machine runs out of memory.

        A process that changed its user may write its own /proc files only while it is dumpable.
        """
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
        file = os.open("self/oom_score_adj", os.O_WRONLY, dir_fd=self._proc)
        try:
            os.write(file, _LIKELIEST_VICTIM)
        finally:
            os.close(file)
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)

    def _pages(self, field: int) -> int:
        file = os.open("self/statm", os.O_RDONLY, dir_fd=self._proc)
        try:
            return int(os.read(file, 200).split()[field]) * resource.getpagesize()
        finally:
            os.close(file)
