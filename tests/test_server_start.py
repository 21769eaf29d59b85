"""The MCP command starts fast: nothing heavy is loaded before the first answer."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = ["pandas", "scipy", "matplotlib", "fastapi", "openai", "numpy", "sqlmodel", "nicegui", "asammdf"]

PROBE = f"""
import json, sys, threading
import server.warm
server.warm.warm_up = lambda: None     # what the background thread loads is not waited for
import mcp.server.lowlevel as lowlevel
original = lowlevel.Server.run
async def run_and_tell(self, *args, **kwargs):
    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
    return await original(self, *args, **kwargs)
lowlevel.Server.run = run_and_tell
sys.argv = ["obd-agent", "mcp"]
from server.cli import main
main()
"""


def test_nothing_heavy_is_loaded_when_the_mcp_command_is_ready(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"OBD_AGENT_HOME": str(tmp_path), "PATH": ""},
        cwd=Path(__file__).parents[1],
    )
    assert json.loads(done.stderr.strip().splitlines()[-1]) == []
