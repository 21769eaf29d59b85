"""Walks the code's tree and collects what it names that leads out of the sandbox.

RestrictedPython's transformer does the walking: it refuses every kind of node it does not know. Importing this module
imports RestrictedPython.
"""

import ast

from RestrictedPython.transformer import INSPECT_ATTRIBUTES, RestrictingNodeTransformer

from sandbox import allowed
from sandbox.allowed import Refusal

_REFUSED = allowed.REFUSED_ATTRIBUTES | INSPECT_ATTRIBUTES
# Nodes that RestrictedPython would rewrite or refuse, and that are fine here.
_FREE = (
    "FunctionDef ClassDef Lambda Call For comprehension ListComp SetComp GeneratorExp DictComp Subscript Assign "
    "AugAssign AnnAssign ExceptHandler With Nonlocal Module Match match_case MatchValue MatchSingleton "
    "MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr NamedExpr TryStar TypeAlias TypeVar "
    "ParamSpec TypeVarTuple"
)


class Lint(RestrictingNodeTransformer):
    """Collects refusals; `print`, names with underscores and assignments of every kind are fine."""

    def __init__(self, strict: bool) -> None:
        super().__init__()
        self._strict = strict
        self._prepared = 0  # how many statements around this one catch that a module is missing
        self.refusals: list[Refusal] = []

    def error(self, node: ast.AST, info: str) -> None:
        """Take note of a reason; the transformer calls this too."""
        self.refusals.append(Refusal(getattr(node, "lineno", None), info))

    def visit_Name(self, node: ast.Name) -> ast.AST:  # noqa: N802 ast's naming
        """Refuse names that turn text into code."""
        if node.id in allowed.REFUSED_NAMES:
            self.error(node, f"{node.id} is not allowed: {allowed.REFUSED_NAMES[node.id]}.")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802 ast's naming
        """Refuse attributes that lead into the interpreter, and calls of `os` that no analysis makes."""
        if node.attr in _REFUSED:
            self.error(node, f".{node.attr} is not allowed: it leads into the interpreter, not to data.")
        of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
        if of_os and node.attr in allowed.REFUSED_OF_OS:
            self.error(node, f"os.{node.attr} is not allowed: the code reaches files in its own folder only.")
        self.node_contents_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: N802 ast's naming
        """Refuse text that names such an attribute, as for getattr or format."""
        text = node.value if isinstance(node.value, str) else ""
        for name in _REFUSED:
            if "__" in name and name in text:
                self.error(node, f"text that contains {name} is not allowed.")
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:  # noqa: N802 ast's naming
        """Refuse modules that lead out."""
        for alias in node.names:
            self._check_module(node, alias.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:  # noqa: N802 ast's naming
        """Refuse modules that lead out, and names taken from `os` and `sys`."""
        module = node.module or ""
        if node.level:
            self.error(node, "relative imports are not possible: the code is one file.")
        for alias in node.names:
            part = f"{module}.{alias.name}"
            self._check_module(node, part if part in allowed.ALLOWED_PARTS else module)
            if module in ("os", "sys") and alias.name in (allowed.REFUSED_OF_OS | _REFUSED):
                self.error(node, f"{part} is not allowed.")
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:  # noqa: N802 ast's naming
        """Let code try whether a library is there when it says what to do without it."""
        prepared = any(_catches_import(handler) for handler in node.handlers)
        self._prepared += prepared
        for statement in node.body:
            self.visit(statement)
        self._prepared -= prepared
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)
        return node

    def _check_module(self, node: ast.AST, name: str) -> None:
        reason = allowed.module_refusal(name, self._strict)
        unknown = reason in (allowed.NOT_INSTALLED, allowed.REFUSED_MODULES["IPython"])
        if reason and not (unknown and self._prepared):
            self.error(node, f"import of {name} is not allowed: {reason}.")


def _catches_import(handler: ast.ExceptHandler) -> bool:
    """Say whether the handler is for a module that is missing."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    return handler.type is None or bool(
        names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    )


for _name in _FREE.split():
    setattr(Lint, f"visit_{_name}", Lint.node_contents_visit)
