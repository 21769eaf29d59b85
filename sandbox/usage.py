"""What a process has used, as the kernel counts it: the process itself is not asked."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

_LIMITS = {
    "Max address space": "AS",
    "Max cpu time": "CPU",
    "Max file size": "FSIZE",
    "Max open files": "NOFILE",
    "Max processes": "NPROC",
    "Max core file size": "CORE",
    "Max locked memory": "MEMLOCK",
    "Max msgqueue size": "MSGQUEUE",
}
_NONE = -1  # as resource.RLIM_INFINITY


@dataclass(frozen=True)
class Usage:
    """CPU time so far, memory now, and the most memory there was."""

    cpu_s: float
    resident: int
    peak: int


def read(pid: int) -> Usage | None:
    """Return what process `pid` has used; None when it has ended."""
    process = Path("/proc", str(pid))
    try:
        lines = (process / "status").read_text(encoding="utf-8", errors="replace").splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Vm")}
        return Usage(_cpu_s(process), sizes["VmRSS"], sizes["VmHWM"])
    except (OSError, KeyError, ValueError, IndexError):
        return None


def limits(pid: int) -> dict[str, int]:
    """Return the limits the kernel holds process `pid` to, -1 where there is none; nothing when it has ended."""
    try:
        lines = Path("/proc", str(pid), "limits").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    rows = ((line[:25].strip(), line[25:].split()[:1]) for line in lines)
    return {
        _LIMITS[name]: int(soft[0]) if soft[0].isdigit() else _NONE
        for name, soft in rows
        if name in _LIMITS and soft
    }


def _cpu_s(process: Path) -> float:
    """Return CPU seconds: to the nanosecond where the kernel keeps them, else to a clock tick."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int((process / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    fields = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
