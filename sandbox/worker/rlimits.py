"""Resource limits of a process; the kernel kills or refuses, whatever the code does."""

import os
import resource
from collections.abc import Iterable

from sandbox.worker.orders import Rlimits

MIB = 1024 * 1024
_ROOM = 64 * MIB  # stacks of the threads that start after the address space was measured
_LOADS = 3  # a session may be in memory this many times: as it is, and as two tables made from it


def fix(open_files: int = 128, processes: int = 0) -> dict[str, int]:
    """Set what is the same for every job, for good; return what the kernel holds. Without processes: no threads.

    Raises OSError or ValueError when the kernel says no.
    """
    return _set(
        {
            "NOFILE": (open_files,) * 2,
            "NPROC": (processes,) * 2,
            "CORE": (0, 0),
            "MEMLOCK": (0, 0),
            "MSGQUEUE": (0, 0),
        }
    )


def allow(limits: Rlimits, in_use_bytes: int, session_fds: Iterable[int], keep: bool) -> dict[str, int]:
    """Set what one job may take, on top of `in_use_bytes` of address space and its sessions; return it.

    `keep` says that this process will do more jobs, each with CPU time of its own. Nothing set here can be raised.
    Raises OSError or ValueError when the kernel says no.
    """
    sessions = sum(os.fstat(fd).st_size for fd in session_fds)
    memory = _at_most("AS", in_use_bytes + _ROOM + limits.memory_bytes + _LOADS * sessions)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime) + limits.cpu_s
    file = _at_most("FSIZE", limits.file_bytes)
    return _set(
        {
            "AS": (memory, memory),
            "CPU": (cpu, resource.RLIM_INFINITY if keep else cpu + 1),
            "FSIZE": (file, file),
        }
    )


def _at_most(name: str, wanted: int) -> int:
    hard = resource.getrlimit(_number(name))[1]
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)


def _set(wanted: dict[str, tuple[int, int]]) -> dict[str, int]:
    for name, value in wanted.items():
        resource.setrlimit(_number(name), value)
    return {name: resource.getrlimit(_number(name))[0] for name in wanted}


def _number(name: str) -> int:
    number: int = getattr(resource, f"RLIMIT_{name}")
    return number
