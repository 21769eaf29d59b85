"""Finds out, once, what this machine can do to confine code, and starts it."""

import sys
import uuid
from pathlib import Path
from typing import Any

from sandbox.host import Host, machine
from sandbox.jobs import Job, carry_out
from sandbox.results import HostReport, Limits, RunResult, Tier
from sandbox.selftest import selftest
from sandbox.spawn import ZygoteError
from sandbox.worker import kernel

_FULL: tuple[str, ...] = ()
# Tried in this order where the operator has allowed it; Python's audit events stand in for what is missing.
_REDUCED = (("landlock",), ("seccomp",), ("landlock", "seccomp"))


def find_host(allow_reduced: bool, folder: Path) -> tuple[Host | None, HostReport]:
    """Return the strongest host there is, started and tested, and what it can do; None when it is to be off."""
    if sys.platform != "linux":
        return None, HostReport(
            tier="off",
            platform=machine(),
            reason=(
                f"code can be confined on Linux only, and this is {sys.platform}; run the server in Docker or WSL 2"
            ),
        )
    failed: list[HostReport] = []
    for without in (_FULL, *_REDUCED) if allow_reduced else (_FULL,):
        host = Host(without, audit=bool(without))
        report = _examine(host, folder)
        if report.tier != "off":
            _hide_our_memory(host)
            host.prepare()
            return host, report
        host.close()
        failed.append(report)
    reasons = dict.fromkeys(report.reason for report in failed)
    return None, failed[0].model_copy(update={"reason": "; ".join(reasons)})


def _examine(host: Host, folder: Path) -> HostReport:
    without = list(host.without)
    report = HostReport(tier="off", platform=machine(), missing=without)
    try:
        host.start()
        worker = host.worker()
    except ZygoteError as error:
        return report.model_copy(update={"reason": error.message})
    worker.discard()
    hello = host.hello
    report = report.model_copy(
        update={"layers": worker.layers, "versions": hello["versions"], "threads": hello["threads"]}
    )
    if worker.reason or hello["threads"] != 1:
        return report.model_copy(update={"reason": worker.reason or "the zygote has more than one thread"})
    tier: Tier = "reduced" if without else "full"
    probes = selftest(folder, lambda code, info: _probe(host, code, info, tier))
    escaped = [probe.name for probe in probes if not probe.contained]
    reason = _remark(without, hello["identity"]["reason"])
    if escaped:
        reason = f"a self-test was not contained: {', '.join(escaped)}"
    return report.model_copy(
        update={"tier": "off" if escaped else tier, "selftest": probes, "reason": reason}
    )


def _remark(without: list[str], of_identity: str) -> str:
    """Say what keeps a tier that is offered from being better."""
    if without:
        return f"without {', '.join(without)}: Python's audit events stand in, which are no boundary"
    return of_identity


def _probe(host: Host, code: str, info: dict[str, Any], tier: Tier) -> RunResult:
    worker = host.worker()
    try:
        return carry_out(
            Job(uuid.uuid4().hex, code, Limits(wall_s=10), tier, Path("/dev/null/none"), info), worker
        )
    finally:
        worker.discard()


def _hide_our_memory(host: Host) -> None:
    """Close this process's /proc/<pid>/mem and environ to others of its user, where code runs as that user."""
    if not host.hello["identity"]["separated"]:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
