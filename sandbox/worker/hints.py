"""What to do about an error: one sentence for whoever wrote the code."""

import difflib
import errno
import re
from typing import Any

_RENAMED = {
    "applymap": "DataFrame.applymap is now DataFrame.map.",
    "append": "DataFrame.append is gone; use pd.concat([a, b]).",
    "iteritems": "iteritems is now items.",
    "trapz": "np.trapz is now np.trapezoid.",
    "float_": "np.float_ is now np.float64.",
    "NaN": "np.NaN is now np.nan.",
    "cumtrapz": "scipy.integrate.cumtrapz is now cumulative_trapezoid.",
    "simps": "scipy.integrate.simps is now simpson.",
    "swapaxes": "use transpose or np.swapaxes.",
}
_FREQUENCIES = {
    "T": "min",
    "S": "s",
    "H": "h",
    "L": "ms",
    "U": "us",
    "N": "ns",
    "M": "ME",
    "Q": "QE",
    "A": "YE",
    "Y": "YE",
}
_BY_MESSAGE = (
    (
        r"can't start new thread",
        "There are no threads in here: use a plain loop, or a thread pool (it works at once).",
    ),
    (r"Invalid frequency: \d*([A-Z])\b", "frequency"),
    (
        r"method.*fillna|fillna\(\) got an unexpected keyword argument 'method'",
        "fillna(method=...) is gone; use .ffill() or .bfill().",
    ),
    (
        r"tz-naive and tz-aware",
        "The index is UTC time: compare with pd.Timestamp(..., tz='UTC'), or drop it by .tz_localize(None).",
    ),
    (
        r"incompatible merge keys .*datetime64",
        "Bring both keys to one resolution: .astype('datetime64[us, UTC]').",
    ),
    (
        r"boxplot\(\) got an unexpected keyword argument 'labels'",
        "boxplot(labels=...) is now tick_labels=...",
    ),
    (
        r"could not convert string|can't multiply sequence|unsupported operand type\(s\).*'str'",
        "A column holds text: convert it with pd.to_numeric(column, errors='coerce').",
    ),
)
_BY_ERRNO = {
    errno.EFBIG: "One file may not be larger than the limit; write less, or as Parquet.",
    errno.EMFILE: "Too many files are open; use `with open(...)`, or plt.close() between figures.",
}
_INSTALLED = "Use what is installed: numpy, pandas, scipy, matplotlib; nothing can be installed in here."
_OUTSIDE = (
    "Only the current folder can be written, and only Python's own files can be read besides it. There is no "
    "network and no other program. Use load_session(...) for data and relative file names for results."
)


def hint(error: BaseException, names: dict[str, Any]) -> str:
    """Return advice for an error, or "" when there is none worth giving."""
    for kind, advise in _ADVISERS:
        if isinstance(error, kind):
            advice: str = advise(error, names)
            if advice:
                return advice
    return _by_message(str(error))


def _by_message(message: str) -> str:
    for pattern, advice in _BY_MESSAGE:
        found = re.search(pattern, message)
        if found and advice == "frequency":
            letter = found.group(1)
            return f"Use {_FREQUENCIES[letter]!r} for {letter!r}." if letter in _FREQUENCIES else ""
        if found:
            return advice
    return ""


def _key(error: KeyError, names: dict[str, Any]) -> str:
    """Name the columns there are, for a KeyError that names one that is not there."""
    import pandas as pd

    tables = {
        name: value
        for name, value in names.items()
        if isinstance(value, pd.DataFrame) and not name.startswith("_")
    }
    wanted = error.args[0] if error.args else None
    if "key of type tuple" in str(wanted):
        return "scipy and matplotlib take arrays: pass column.to_numpy()."
    parts = []
    for name, table in list(tables.items())[:3]:
        columns = [str(column) for column in table.columns]
        close = difflib.get_close_matches(str(wanted), columns, 1)
        parts.append(
            (f"Did you mean {close[0]!r}? " if close else "") + f"{name} has {', '.join(columns[:40])}."
        )
    return " ".join(parts)


def _name(error: NameError, names: dict[str, Any]) -> str:
    close = difflib.get_close_matches(
        error.name or "", [name for name in names if not name.startswith("_")], 1
    )
    ready = "Ready to use: pd, np, plt, stats, signal, load_session, sessions."
    return f"Did you mean {close[0]!r}?" if close else ready


def _attribute(error: AttributeError, names: dict[str, Any]) -> str:
    return _RENAMED.get(error.name or "", "")


def _module(error: ImportError, names: dict[str, Any]) -> str:
    if error.name in _RENAMED:
        return _RENAMED[error.name]
    renamed = (text for old, text in _RENAMED.items() if f"cannot import name '{old}'" in str(error))
    return next(renamed, "") or _INSTALLED


def _system(error: OSError, names: dict[str, Any]) -> str:
    no_network = type(error).__name__ in ("URLError", "gaierror", "timeout")
    far_away = str(error.filename or "").startswith("/")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS or no_network or far_away:
        return _OUTSIDE
    if error.errno == errno.ENOENT:
        return "Only files written by this run are here. Session data comes from load_session(...)."
    return _BY_ERRNO.get(error.errno or 0, "")


def _memory(error: MemoryError, names: dict[str, Any]) -> str:
    return "The run is over its memory limit: load fewer signals or a shorter stretch, or aggregate earlier."


def _input(error: EOFError, names: dict[str, Any]) -> str:
    return "There is nobody to ask: input() has no answer here. Put the value into the code."


def _recursion(error: RecursionError, names: dict[str, Any]) -> str:
    return "The recursion does not end, or is too deep: use a loop."


_ADVISERS: tuple[tuple[type[BaseException], Any], ...] = (
    (KeyError, _key),
    (NameError, _name),
    (AttributeError, _attribute),
    (ImportError, _module),
    (OSError, _system),
    (MemoryError, _memory),
    (EOFError, _input),
    (RecursionError, _recursion),
)
