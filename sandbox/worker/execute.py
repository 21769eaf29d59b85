"""Runs the agent's code and puts what came of it into plain data."""

import ast
import linecache
import sys
import types
from collections.abc import Callable
from typing import Any

from sandbox.worker import fit, hints, namespace, notices, tidy, values
from sandbox.worker.tracebacks import FILE, describe
from sandbox.worker.wire import Message

_HINT_CHARACTERS = 2000


class _Keeper:
    """What one process remembers from job to job: only a workspace has more than one."""

    module: types.ModuleType | None = None


def run(job: dict[str, Any], fds: list[int]) -> Message:
    """Run one job (`code`, `info`, `sessions`, `keep`, `nonce`) over the sessions in `fds`; never raises."""
    module = _module(bool(job.get("keep")), fds, job)
    code = str(job["code"])
    notices_ = notices.Notices()
    outcome: dict[str, Any] = {"nonce": job["nonce"], "value": None, "error": None, "memory": False}
    try:
        with notices_:
            value = _evaluate(code, module)
            outcome["value"] = values.describe(value)
    except SystemExit as exit_:
        outcome["error"] = _exit(exit_)
    except BaseException as error:  # the user's code may raise anything
        outcome["error"] = _explain(error, module)
        outcome["memory"] = isinstance(error, MemoryError)
    outcome["warnings"] = notices_.seen()
    outcome["notes"] = tidy.save_figures()
    tidy.flush()
    return outcome


def _module(keep: bool, fds: list[int], job: dict[str, Any]) -> types.ModuleType:
    """Return the module the code runs in, which is `__main__` to everybody."""
    if _Keeper.module is None or not keep:
        _Keeper.module = types.ModuleType("__main__")
        sys.modules["__main__"] = _Keeper.module
        fit.apply()
    namespace.fill(_Keeper.module.__dict__, fds, job)
    return _Keeper.module


def _evaluate(code: str, module: types.ModuleType) -> object:
    """Run the code and return the value of its last expression, or else of its variable `result`."""
    lines = code.splitlines(keepends=True)
    linecache.cache[FILE] = (len(code), None, lines, FILE)
    tree = ast.parse(code, FILE)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    module.__dict__.pop("result", None)
    run_: Callable[..., Any] = exec
    run_(compile(tree, FILE, "exec"), module.__dict__)
    if not isinstance(last, ast.Expr):
        return module.__dict__.get("result")
    value = eval(compile(ast.Expression(last.value), FILE, "eval"), module.__dict__)  # noqa: S307 this is the job
    module.__dict__["_"] = value
    return value


def _exit(error: SystemExit) -> dict[str, Any] | None:
    if error.code in (None, 0):
        return None
    return describe(error) | {"hint": ""}


def _explain(error: BaseException, module: types.ModuleType) -> dict[str, Any]:
    try:
        return describe(error) | {"hint": hints.hint(error, module.__dict__)[:_HINT_CHARACTERS]}
    except Exception:  # a __str__ of the user's own that raises
        return {"type": type(error).__name__, "message": "", "line": None, "traceback": "", "hint": ""}
