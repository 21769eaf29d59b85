"""Reads code before it is run, without running it: a lint with line numbers, not the boundary.

RestrictedPython's transformer walks the tree (it refuses every kind of node it does not know); the tree it makes
is thrown away, and the code runs as it was written.
"""

import ast
import threading
import warnings

from sandbox.allowed import Refusal

MAX_BYTES = 64 * 1024
_quiet = threading.Lock()


def check(code: str, strict: bool = False) -> list[Refusal]:
    """Return why `code` must not be run, in the order of its lines; nothing when it may."""
    from sandbox.lint import Lint

    if len(code.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return [Refusal(None, f"The code is larger than {MAX_BYTES // 1024} KB; do it in several runs.")]
    try:
        tree = _parse(code)
    except SyntaxError as error:
        return [_syntax(error)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [Refusal(None, f"The code cannot be read: {error or 'nested too deeply'}", "SyntaxError")]
    lint = Lint(strict)
    try:
        lint.visit(tree)
    except RecursionError:
        return [Refusal(None, "The code is nested too deeply.")]
    return sorted(lint.refusals, key=lambda refusal: refusal.line or 0)


def _parse(code: str) -> ast.Module:
    """Return the code's tree; what the parser warns of is told by the run, not by the server."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _syntax(error: SyntaxError) -> Refusal:
    line = (error.text or "").strip()
    magic = (
        " (commands of a notebook do not work here, and nothing can be installed)" if line[:1] in "%!" else ""
    )
    return Refusal(error.lineno, f"{error.msg}: {line}"[:300] + (magic if line else ""), type(error).__name__)
