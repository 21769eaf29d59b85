"""What code may name before it is run. Wide on purpose: the boundary is the kernel, this is a reading aid."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """One reason why code is not run."""

    line: int | None
    message: str
    type: str = "NotAllowed"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Modules that only make sense for reaching out of the sandbox, and what to do instead.
REFUSED_MODULES = {
    **dict.fromkeys(
        _names("""
        socket ssl socketserver http urllib ftplib smtplib poplib imaplib telnetlib nntplib xmlrpc asyncio
        asyncore asynchat selectors webbrowser wsgiref cgi select requests httpx aiohttp urllib3
        """),
        "there is no network in here; session data comes from load_session(...)",
    ),
    "IPython": "this is no notebook; display(...) is there without an import",
    **dict.fromkeys(
        _names("""
        subprocess multiprocessing pty pexpect _posixsubprocess posix nt _multiprocessing _posixshmem
        """),
        "no other process can be started; use a plain loop or concurrent.futures (which runs at once)",
    ),
    **dict.fromkeys(
        _names("""
        ctypes _ctypes cffi mmap fcntl termios tty resource signal syslog faulthandler pwd grp spwd crypt nis
        _socket _signal _thread readline curses ossaudiodev msvcrt winreg winsound _winapi
        """),
        "code in here has no use for the operating system; numpy and pandas do not need it either",
    ),
    **dict.fromkeys(
        _names("""
        importlib imp runpy code codeop pkgutil zipimport modulefinder ensurepip pip setuptools venv site
        builtins _imp _frozen_importlib _frozen_importlib_external zipapp idlelib distutils pdb bdb pydoc
        turtle tkinter antigravity this _testcapi _xxsubinterpreters trace
        """),
        "import what you need by name; nothing can be installed or loaded from elsewhere",
    ),
}
SCIENTIFIC = frozenset(
    _names("""
    bottleneck contourpy cycler dateutil fastparquet filterpy joblib kiwisolver lmfit matplotlib mpl_toolkits
    mpmath narwhals networkx numba numexpr numpy openpyxl packaging pandas patsy PIL plotly polars pyarrow
    pytz pywt ruptures scipy seaborn six sklearn statsmodels sympy tabulate threadpoolctl tqdm tzdata
    xlsxwriter
    """)
)
ALLOWED_PARTS = frozenset(("importlib.metadata", "importlib.resources", "importlib.util", "urllib.parse"))

NOT_INSTALLED = (
    "not installed for analysis code; numpy, pandas, scipy, matplotlib and the standard library are"
)

# What is left when the kernel cannot help (reduced tier).
STRICT_MODULES = frozenset(
    _names("""
    __future__ abc bisect calendar cmath collections contextlib copy dataclasses datetime decimal difflib enum
    fractions functools heapq io itertools json math matplotlib numbers numpy operator pandas pprint random re
    scipy seaborn sklearn statistics statsmodels string textwrap time typing unicodedata warnings zoneinfo
    """)
)

# Attributes that lead from an object to the interpreter's inside. RestrictedPython adds frames and tracebacks.
REFUSED_ATTRIBUTES = frozenset(
    _names("""
    _MEIPASS __array_interface__ __array_struct__ __base__ __bases__ __builtins__ __cached__ __closure__
    __code__ __func__ __getattribute__ __globals__ __import__ __init_subclass__ __loader__ __mro__
    __objclass__ __reduce__ __reduce_ex__ __self__ __spec__ __subclasses__ __subclasshook__ __weakref__
    _current_frames _getframe addaudithook setprofile settrace
    """)
)

# Calls of `os` that no analysis makes. The kernel refuses them too; here they get a line number.
REFUSED_OF_OS = frozenset(
    _names("""
    chown chroot eventfd execl execle execlp execlpe execv execve execvp execvpe fchown fork forkpty kill
    killpg lchown link login_tty memfd_create mkfifo mknod openpty pidfd_open popen posix_spawn posix_spawnp
    ptrace setgid setgroups setns setregid setresgid setresuid setreuid setuid spawnl spawnle spawnlp spawnlpe
    spawnv spawnve spawnvp spawnvpe startfile symlink system unshare
    """)
)
REFUSED_NAMES = {
    "eval": "write the expression out; df.eval(...) and ast.literal_eval(...) are there",
    "exec": "write the statements out",
    "compile": "write the statements out; re.compile(...) is there",
    "__import__": "use an import statement",
    "breakpoint": "nobody can step through code in here; print values instead",
    "__builtins__": "use the built-in functions by name",
    "__loader__": "use an import statement",
    "__spec__": "use an import statement",
}


def module_refusal(name: str, strict: bool) -> str:
    """Return why module `name` may not be imported, or "" when it may."""
    top = name.split(".")[0]
    if any(name == part or name.startswith(part + ".") for part in ALLOWED_PARTS) and not strict:
        return ""
    if top in REFUSED_MODULES:
        return REFUSED_MODULES[top]
    if strict:
        return (
            ""
            if top in STRICT_MODULES
            else "this machine confines code only in part, so few modules are allowed"
        )
    if top in sys.stdlib_module_names or top in SCIENTIFIC:
        return ""
    return NOT_INSTALLED
