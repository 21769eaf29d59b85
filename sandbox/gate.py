"""Reads code before it is run, without running it: a lint with line numbers, not the boundary.

RestrictedPython's transformer walks the tree (it refuses every kind of node it does not know); the tree it makes
is thrown away, and the code runs as it was written.
"""

import ast
import functools
from dataclasses import dataclass
from typing import Any

from sandbox import allowed

MAX_BYTES = 64 * 1024
# Nodes that RestrictedPython would rewrite or refuse, and that are fine here.
_FREE = (
    "FunctionDef ClassDef Lambda Call For comprehension ListComp SetComp GeneratorExp DictComp Subscript Assign "
    "AugAssign AnnAssign ExceptHandler With Nonlocal Module Match match_case MatchValue MatchSingleton "
    "MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr NamedExpr TryStar TypeAlias TypeVar "
    "ParamSpec TypeVarTuple"
)


@dataclass(frozen=True)
class Refusal:
    """One reason why code is not run."""

    line: int | None
    message: str
    type: str = "NotAllowed"


def check(code: str, strict: bool = False) -> list[Refusal]:
    """Return why `code` must not be run, in the order of its lines; nothing when it may."""
    if len(code.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return [Refusal(None, f"The code is larger than {MAX_BYTES // 1024} KB; do it in several runs.")]
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return [_syntax(error)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [Refusal(None, f"The code cannot be read: {error or 'nested too deeply'}", "SyntaxError")]
    lint = _lint()(strict)
    try:
        lint.visit(tree)
    except RecursionError:
        return [Refusal(None, "The code is nested too deeply.")]
    return sorted(lint.refusals, key=lambda refusal: refusal.line or 0)


def _syntax(error: SyntaxError) -> Refusal:
    line = (error.text or "").strip()
    magic = (
        " (commands of a notebook do not work here, and nothing can be installed)" if line[:1] in "%!" else ""
    )
    return Refusal(error.lineno, f"{error.msg}: {line}"[:300] + (magic if line else ""), type(error).__name__)


@functools.cache
def _lint() -> Any:  # noqa: C901 one class of small visitors, which must be made after the late import
    """Return the class that walks the tree; made on first use, because RestrictedPython takes time to import."""
    from RestrictedPython.transformer import INSPECT_ATTRIBUTES, RestrictingNodeTransformer

    refused = allowed.REFUSED_ATTRIBUTES | INSPECT_ATTRIBUTES

    class Lint(RestrictingNodeTransformer):
        """Collects refusals; `print`, names with underscores and assignments of every kind are fine."""

        def __init__(self, strict: bool) -> None:
            super().__init__()
            self._strict = strict
            self.refusals: list[Refusal] = []

        def error(self, node: ast.AST, info: str) -> None:
            self.refusals.append(Refusal(getattr(node, "lineno", None), info))

        def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802 ast's naming
            if node.id in allowed.REFUSED_NAMES:
                self.error(node, f"{node.id} is not allowed: {allowed.REFUSED_NAMES[node.id]}.")
            return node

        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802 ast's naming
            if node.attr in refused:
                self.error(node, f".{node.attr} is not allowed: it leads into the interpreter, not to data.")
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            if of_os and node.attr in allowed.REFUSED_OF_OS:
                self.error(
                    node, f"os.{node.attr} is not allowed: the code reaches files in its own folder only."
                )
            self.node_contents_visit(node)
            return node

        def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: N802 ast's naming
            text = node.value if isinstance(node.value, str) else ""
            for name in refused:
                if "__" in name and name in text:
                    self.error(node, f"text that contains {name} is not allowed.")
            return node

        def visit_Import(self, node: ast.Import) -> ast.AST:  # noqa: N802 ast's naming
            for alias in node.names:
                self._check_module(node, alias.name)
            return node

        def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:  # noqa: N802 ast's naming
            module = node.module or ""
            if node.level:
                self.error(node, "relative imports are not possible: the code is one file.")
            for alias in node.names:
                part = f"{module}.{alias.name}"
                self._check_module(node, part if part in allowed.ALLOWED_PARTS else module)
                if module in ("os", "sys") and alias.name in (allowed.REFUSED_OF_OS | refused):
                    self.error(node, f"{part} is not allowed.")
            return node

        def _check_module(self, node: ast.AST, name: str) -> None:
            reason = allowed.module_refusal(name, self._strict)
            if reason:
                self.error(node, f"import of {name} is not allowed: {reason}.")

    for name in _FREE.split():
        setattr(Lint, f"visit_{name}", Lint.node_contents_visit)
    return Lint
