"""Says what a file is by looking into it; a name proves nothing, and nothing is opened that could run."""

import codecs
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import drawing, pictures
from sandbox.pictures import NotHandedOnError, lie
from sandbox.results import ArtifactKind

_TEXT_SAMPLE = 1 << 20
_PARSED = 4 << 20  # JSON up to this size is parsed: parsed data takes many times the room of its text
_HEADER = 10_000  # of a numpy array
# What a browser takes for a page when nobody tells it the type (MIME Sniffing, 7.1), and pictures and styles.
_MARKUP = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|\?|/?(?:html|script|svg|iframe|body|head|h1|div|font|table|a|style"
    rb"|title|b|br|p|img|link|meta|object|embed|form|video|audio|math|base|input|button|details)[\s>/])",
    re.IGNORECASE,
)
_PDF_NAMES = (
    rb"JavaScript|Launch|OpenAction|EmbeddedFiles?|FileAttachment|RichMedia|SubmitForm|ImportData|GoTo[RE]|ObjStm"
    rb"|AcroForm|XFA|Rendition|URI"
)
_PDF_ACTIVE = re.compile(rb"/(?:" + _PDF_NAMES + rb")(?=[\0\s()<>\[\]{}/%])")
_PDF_ESCAPED = re.compile(rb"/[A-Za-z]*#[0-9A-Fa-f]{2}[A-Za-z0-9#]*")


@dataclass(frozen=True)
class Sort:
    """A kind of file that may leave the sandbox."""

    mime: str
    kind: ArtifactKind
    check: Callable[[bytes], None]


def sort(name: str, data: bytes) -> Sort:
    """Return what the file is; raise NotHandedOnError, with the reason, when it may not leave."""
    suffix = name.lower().rpartition(".")[2] if "." in name else ""
    if suffix in _WHY_NOT:
        raise NotHandedOnError(_WHY_NOT[suffix])
    if suffix not in _SORTS:
        raise NotHandedOnError(
            f"files named .{suffix or '(nothing)'} are not handed on; allowed are "
            + ", ".join(f".{known}" for known in _SORTS)
        )
    found = _SORTS[suffix]
    found.check(data)
    return found


def _pdf(data: bytes) -> None:
    if not data.startswith(b"%PDF-"):
        raise lie("no PDF")
    escaped = (_unescaped(name) + b" " for name in _PDF_ESCAPED.findall(data))
    if _PDF_ACTIVE.search(data) or any(map(_PDF_ACTIVE.match, escaped)):
        raise NotHandedOnError("a PDF with links, scripts or attached files is not handed on")
    if not data.rstrip().endswith(b"%%EOF"):
        raise lie("a PDF with something else behind it")


def _unescaped(name: bytes) -> bytes:
    """Return a PDF's name with its #xx written out."""
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found.group(1).decode("ascii")), name)


def _text(data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _TEXT_SAMPLE):  # in pieces: all at once takes four times the room
            decoder.decode(data[start : start + _TEXT_SAMPLE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise lie(f"no UTF-8 text ({error.reason})") from None
    if b"\0" in data:
        raise lie("text with zero bytes")
    if _MARKUP.match(data[:_TEXT_SAMPLE]):
        raise lie("markup that a browser would run")


def _json(data: bytes) -> None:
    _text(data)
    try:
        if len(data) <= _PARSED:
            json.loads(data)
        elif data[:64].lstrip()[:1] + data[-64:].rstrip()[-1:] not in (b"{}", b"[]"):
            raise ValueError
    except (ValueError, RecursionError):
        raise lie("no JSON") from None


def _yaml(data: bytes) -> None:
    _text(data)
    if b"!!python" in data:
        raise NotHandedOnError("YAML that makes Python objects runs code when it is opened")


def _page(data: bytes) -> None:
    if not _MARKUP.match(data[:_TEXT_SAMPLE]):
        raise lie("no HTML")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise lie("HTML that is not UTF-8") from None


def _svg(data: bytes) -> None:
    reason = drawing.refusal(data)
    if reason:
        raise NotHandedOnError(reason)


def _npy(data: bytes) -> None:
    import numpy as np

    stream, formats = io.BytesIO(data), np.lib.format
    try:
        version = formats.read_magic(stream)
        read = formats.read_array_header_1_0 if version == (1, 0) else formats.read_array_header_2_0
        shape, _, kind = read(stream, max_header_size=_HEADER)
    except (ValueError, TypeError, SyntaxError, KeyError, MemoryError, RecursionError, UserWarning) as error:
        raise lie(f"no numpy array ({error})"[:200]) from None
    if kind.hasobject:
        raise NotHandedOnError(
            "a numpy array of objects is a pickle, and a pickle runs code when it is opened"
        )
    if stream.tell() + math.prod(shape) * kind.itemsize != len(data):
        raise lie("a numpy array of another size than it says")


def _parquet(data: bytes) -> None:
    """Check the frame: the file's last word is its first, and before it stands how long the description is."""
    length = int.from_bytes(data[-8:-4], "little")
    begins = len(data) - 8 - length
    # 0x15: the description's first field is a whole number, in thrift's compact form
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1") and begins >= 4 and data[begins] == 0x15):
        raise lie("no PAR1 file")


def _feather(data: bytes) -> None:
    length = int.from_bytes(data[-10:-6], "little")
    if not (data.startswith(b"ARROW1\0\0") and data.endswith(b"ARROW1") and 0 < length <= len(data) - 18):
        raise lie("no ARROW1 file")


def _matlab(data: bytes) -> None:
    if not data.startswith(b"MATLAB 5.0 MAT-file") or data[124:128] not in (b"\0\1IM", b"\1\0MI"):
        raise lie("no MATLAB 5.0 MAT-file file")


def _sqlite(data: bytes) -> None:
    """Check the header (sqlite.org/fileformat2): the size of a page, and how many pages there are."""
    page = int.from_bytes(data[16:18], "big")
    page = 65536 if page == 1 else page
    whole = page >= 512 and page & (page - 1) == 0 and len(data) == int.from_bytes(data[28:32], "big") * page
    if not data.startswith(b"SQLite format 3\0") or not whole:
        raise lie("no SQLite format 3 file")


_TEXTS: dict[str, tuple[str, ArtifactKind]] = {
    "txt": ("text/plain", "text"),
    "log": ("text/plain", "text"),
    "md": ("text/markdown", "text"),
    "csv": ("text/csv", "table"),
    "tsv": ("text/tab-separated-values", "table"),
    "tex": ("text/plain", "text"),
    "toml": ("text/plain", "text"),
}
_SORTS: dict[str, Sort] = {
    "png": Sort("image/png", "figure", pictures.png),
    "svg": Sort("image/svg+xml", "figure", _svg),
    "jpg": Sort("image/jpeg", "figure", pictures.jpeg),
    "jpeg": Sort("image/jpeg", "figure", pictures.jpeg),
    "gif": Sort("image/gif", "figure", pictures.gif),
    "pdf": Sort("application/pdf", "figure", _pdf),
    **{suffix: Sort(mime, kind, _text) for suffix, (mime, kind) in _TEXTS.items()},
    **dict.fromkeys(("yaml", "yml"), Sort("application/yaml", "text", _yaml)),
    "json": Sort("application/json", "data", _json),
    "geojson": Sort("application/geo+json", "data", _json),
    "html": Sort("text/html", "page", _page),
    "parquet": Sort("application/vnd.apache.parquet", "table", _parquet),
    "feather": Sort("application/vnd.apache.arrow.file", "table", _feather),
    "mat": Sort("application/octet-stream", "data", _matlab),
    "npy": Sort("application/octet-stream", "data", _npy),
    "db": Sort("application/vnd.sqlite3", "data", _sqlite),
}
_SORTS["sqlite"] = _SORTS["db"]
_WHY_NOT = {
    **dict.fromkeys(
        ("pkl", "pickle", "joblib"), "a pickle runs code when it is opened; write CSV or Parquet"
    ),
    **dict.fromkeys(
        ("zip", "gz", "bz2", "xz", "tar", "npz", "xlsx", "whl"),
        "archives are not handed on, because they hide what is in them; write CSV or Parquet",
    ),
    **dict.fromkeys(
        ("py", "pyc", "so", "sh", "bat", "exe", "dll", "js", "pth"), "programs are not handed on"
    ),
}
