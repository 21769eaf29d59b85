"""The gate lets ordinary code pass, refuses what leads out with line numbers, and is never the boundary."""

import subprocess
import sys
import time

import pytest
from test_sandbox_harness import CHECKOUT, ordinary

from sandbox.gate import MAX_BYTES, check


def test_every_ordinary_analysis_passes() -> None:
    assert {name: check(code) for name, _, code in ordinary() if check(code)} == {}


def test_refusals_carry_the_line_the_reason_and_what_to_do_instead() -> None:
    first, second = check("import numpy as np\nimport socket\nx = 1\nimport subprocess\n")
    assert (first.line, second.line) == (2, 4)
    assert "network" in first.message
    assert "load_session" in first.message
    assert "concurrent.futures" in second.message


@pytest.mark.parametrize(
    "code",
    [
        "import socket",
        "import os.path, socket",
        "from urllib.request import urlopen",
        "import ctypes as c",
        "from multiprocessing import Pool",
        "import importlib",
        "from importlib import import_module",
        "__import__('os')",
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "os.system('x')",
        "import nothing_of_ours",
        "from IPython.display import display",
        "from os import system",
        "from os import fork as f",
        "from . import x",
        "from .. import y",
        "().__class__.__base__",
        "().__class__.__mro__",
        "f.__globals__",
        "f.__code__",
        "getattr(x, '__subclasses__')",
        "'{0.__globals__}'.format(f)",
        "e.tb_frame",
        "sys._getframe()",
        "sys.settrace(f)",
        "__builtins__",
        "operator.attrgetter('__class__.__mro__')",
    ],
)
def test_what_leads_out_is_refused(code: str) -> None:
    refusals = check(code)
    assert refusals
    assert refusals[0].type == "NotAllowed"
    assert refusals[0].line == 1


@pytest.mark.parametrize(
    "code",
    [
        # CVE-2023-37271: frames of generators; CVE-2023-41039: format; CVE-2024-47532: AttributeError.obj
        "g.gi_frame.f_back.f_builtins",
        "frame.f_globals",
        "'{.__globals__}'.format(f)",
        "c.cr_frame",
        "a.ag_frame",
        "g.gi_code",
        "try:\n    x\nexcept AttributeError as e:\n    e.obj.__globals__",
        # CVE-2026-76825: string.Formatter returns live objects; CVE-2026-55830: positional-only shadowing
        "import string\nstring.Formatter().get_field('0.__globals__', (f,), {})",
        "def f(_getattr_=1, /):\n    return x.__subclasses__()",
    ],
)
def test_known_ways_around_restrictedpython_are_refused(code: str) -> None:
    assert check(code)


@pytest.mark.parametrize(
    "code",
    [
        "from importlib import metadata",
        "import importlib.metadata",
        "from urllib.parse import quote",
        "from scipy import signal",
        "x = [1]\nx[0] += 1",
        "x: float = 1.0",
        "self._v = 1",
        "e.__traceback__",
        "try:\n    pass\nexcept* ValueError:\n    pass",
        "match x:\n    case {'a': [1, *rest], **more}:\n        pass",
        "class A(metaclass=M):\n    __slots__ = ()",
        "print(f'{x!r:>{width}}')",
        "lambda *a, k=1, **kw: (yield)",
        "x = yield_ = 1\nwith open('a') as f, open('b') as g:\n    pass",
        "df.eval('a + b')",
        "re.compile('a')",
        "model.eval()",
        "import sqlite3, pickle, gzip, logging, threading, tempfile, shutil, glob",
    ],
)
def test_wide_python_is_allowed(code: str) -> None:
    assert check(code) == []


def test_code_may_try_whether_a_library_is_there_but_not_whether_one_that_leads_out_is() -> None:
    prepared = "try:\n    import {}\nexcept {}:\n    pass\nelse:\n    pass\nfinally:\n    pass"
    for kind in ("ImportError", "(ValueError, ModuleNotFoundError)", "Exception"):
        assert check(prepared.format("nothing_of_ours", kind)) == []
        assert check(prepared.format("socket", kind))
    assert check(prepared.format("nothing_of_ours", "ValueError"))
    assert check("try:\n    pass\nexcept ImportError:\n    import nothing_of_ours")
    assert (
        check("try:\n    pass\nexcept ImportError:\n    import socket\nelse:\n    import ctypes")[1].line == 6
    )


def test_a_careless_escape_is_neither_a_warning_of_the_servers_nor_an_error() -> None:
    assert check(r"re.sub('\d+', '', x)") == []


def test_a_syntax_error_is_told_as_such_with_its_line() -> None:
    (refusal,) = check("x = 1\ny = = 2")
    assert (refusal.type, refusal.line) == ("SyntaxError", 2)
    assert check("if x:\npass")[0].type == "IndentationError"
    assert check("x = '\0'")[0].type == "SyntaxError"
    assert "notebook" in check("%matplotlib inline\nx = 1")[0].message


def test_code_that_is_too_large_or_too_deep_is_refused() -> None:
    assert "larger than 64 KB" in check("x = 1\n" * (MAX_BYTES // 4))[0].message
    assert check("(" * 5000 + ")" * 5000)
    assert check("-" * 30_000 + "1")
    assert check("x" + ".a" * 20_000)


def test_async_code_is_refused_because_there_is_nothing_to_wait_for() -> None:
    assert "Async" in check("async def f():\n    await g()")[0].message


def test_the_strict_profile_leaves_only_what_reaches_no_file() -> None:
    assert check("import os", strict=True)
    assert check("import pickle", strict=True)
    assert check("import numpy as np\nfrom scipy import stats\nimport json, math", strict=True) == []


def test_reading_code_takes_little_time() -> None:
    code = "\n".join(code for _, _, code in ordinary())[:MAX_BYTES]
    check("1")
    started = time.perf_counter()
    check(code[: code.rindex("\n=") if "\n=" in code else None])
    assert time.perf_counter() - started < 1


def test_importing_the_door_is_light() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); import sandbox.results; "
        "print([m for m in ('numpy', 'pandas', 'RestrictedPython', 'matplotlib', 'ctypes') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
