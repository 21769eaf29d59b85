"""How soon `obd-agent mcp` answers `initialize`, beside a bare `mcp` server with one tool."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b
server.run("stdio")
"""
OURS = "from server.cli import main; main()"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}
ROUNDS = 9


def seconds_to_initialize(code: str, *arguments: str) -> float:
    """Spawn a server and return the seconds until its answer to `initialize` is read."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        took = time.perf_counter() - began
        assert answer["result"]["serverInfo"]
        server.kill()
    return took


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["OBD_AGENT_HOME"] = home
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(ROUNDS):
            times["bare"].append(seconds_to_initialize(BARE))
            times["ours"].append(seconds_to_initialize(OURS, "mcp"))
    ratios = [ours / bare for ours, bare in zip(times["ours"], times["bare"], strict=True)]
    print("| spawn to the answer of `initialize` | median s |\n|---|---|")
    print(f"| bare `mcp` server, one tool | {statistics.median(times['bare']):.3f} |")
    print(f"| `obd-agent mcp`, all tools | {statistics.median(times['ours']):.3f} |")
    print(
        f"\nratio, median of {ROUNDS} interleaved pairs: {statistics.median(ratios):.2f} (goal: at most 1.3)"
    )


if __name__ == "__main__":
    main()
