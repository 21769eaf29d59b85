"""Tries forbidden things in a real confined child before the sandbox is offered."""

import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.results import Probe, RunResult

# Every attempt says "contained" by raising OSError; anything else is an escape, or no verdict, which is as bad.
_CODE = """
import os, socket
def read(): return open(info["canary"]).read()
def write(): return open(info["outside"], "w").write("x")
def tcp(): return socket.create_connection(("127.0.0.1", info["port"]), 1)
def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", info["port"]))
def fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
def signal_parent(): os.kill(os.getppid() or info["server"], 0)
def verdict(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "escaped"
result = {attempt.__name__: verdict(attempt) for attempt in (read, write, tcp, udp, fork, signal_parent)}
"""
NAMES = ("read", "write", "tcp", "udp", "fork", "signal_parent")


def selftest(folder: Path, run: Callable[[str, dict[str, Any]], RunResult]) -> list[Probe]:
    """Run the probes by `run(code, info)` and return one verdict each; `folder` holds the bait."""
    folder.mkdir(parents=True, exist_ok=True)
    canary, outside = folder / "selftest-canary", folder / f"selftest-{secrets.token_hex(8)}"
    canary.write_text(secrets.token_hex(16), encoding="utf-8")
    canary.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        info = {
            "canary": str(canary),
            "outside": str(outside),
            "port": listener.getsockname()[1],
            "server": os.getpid(),
        }
        ran = run(_CODE, info)
    said = ran.result.value if ran.result is not None and isinstance(ran.result.value, dict) else {}
    detail = {
        name: str(said.get(name, "no verdict: " + (ran.error.message if ran.error else ran.status)))
        for name in NAMES
    }
    canary.unlink()
    return [
        Probe(
            name=name, contained=detail[name].endswith("Error") and not outside.exists(), detail=detail[name]
        )
        for name in NAMES
    ]
