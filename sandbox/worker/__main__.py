"""Starts the zygote: `python -I sandbox/worker/__main__.py FD`, where FD is a socket to the server.

Isolated mode takes the current folder off the import path, so this file makes `sandbox`, and only `sandbox`,
importable from where it lies itself: the same in a checkout and installed.
"""

import importlib.util
import sys
from pathlib import Path


def _find_ourselves() -> None:
    package = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        "sandbox", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package at {package}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sandbox"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    _find_ourselves()
    from sandbox.worker import preload

    preload.set_environment()  # numpy's threads are counted when it is imported, which the next line does
    from sandbox.worker import zygote

    zygote.main(int(sys.argv[1]))
