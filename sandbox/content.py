"""Says what a file is by looking into it; a name proves nothing, and nothing is opened that could run."""

import codecs
import json
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from sandbox import drawing
from sandbox.results import ArtifactKind

_SIDE, _PIXELS = 12_000, 40_000_000
_TEXT_SAMPLE = 1 << 20
_PARSED = 4 << 20  # JSON up to this size is parsed: parsed data takes many times the room of its text
_PARTS = 20_000  # chunks of a picture
_PNG = b"\x89PNG\r\n\x1a\n"
_MARKUP = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|script|svg|\?xml|iframe|body|head)", re.IGNORECASE
)
_PDF_ACTIVE = re.compile(
    rb"[\s<>\])]/(?:JavaScript|JS|Launch|OpenAction|AA|EmbeddedFile|RichMedia|SubmitForm|URI)[\s(<\[/]"
)


class NotHandedOnError(Exception):
    """The file is not what it says, or of a kind that does something when it is opened."""


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


def _no(reason: str) -> NotHandedOnError:
    return NotHandedOnError(f"it is not what its name says: {reason}")


def _size(width: int, height: int) -> None:
    if not (0 < width <= _SIDE and 0 < height <= _SIDE) or width * height > _PIXELS:
        raise NotHandedOnError(
            f"a picture of {width} x {height} pixels; at most {_SIDE} a side and "
            f"{_PIXELS // 1_000_000} million in all are allowed"
        )


def _png(data: bytes) -> None:
    if not data.startswith(_PNG):
        raise _no("no PNG")
    place, kinds = len(_PNG), list[bytes]()
    while place + 12 <= len(data) and len(kinds) < _PARTS:
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 4 : place + 8 + length]
        if len(body) != length + 4 or data[place + 8 + length : place + 12 + length] != struct.pack(
            ">I", zlib.crc32(body)
        ):
            raise _no("a damaged PNG")
        if not kinds and (kind != b"IHDR" or length != 13):
            raise _no("a PNG without a header")
        if kind == b"IHDR":
            _size(*struct.unpack_from(">II", data, place + 8))
        kinds.append(kind)
        place += 12 + length
        if kind == b"IEND":
            break
    if not kinds or kinds[-1] != b"IEND" or place != len(data) or b"IDAT" not in kinds:
        raise _no("a PNG with something else behind it, or without a picture")


def _jpeg(data: bytes) -> None:
    if not (data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")):
        raise _no("no JPEG")
    place = 2
    for _ in range(_PARTS):
        if place + 9 >= len(data):
            break
        marker, length = struct.unpack_from(">HH", data, place)
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return _size(width, height)
        place += 2 + length
    raise _no("a JPEG without a picture")


def _gif(data: bytes) -> None:
    if data[:6] not in (b"GIF87a", b"GIF89a") or not data.endswith(b";") or len(data) < 14:
        raise _no("no GIF")
    _size(*struct.unpack_from("<HH", data, 6))


def _pdf(data: bytes) -> None:
    if not data.startswith(b"%PDF-"):
        raise _no("no PDF")
    if _PDF_ACTIVE.search(data):
        raise NotHandedOnError("a PDF with links, scripts or attached files is not handed on")


def _text(data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _TEXT_SAMPLE):  # in pieces: all at once takes four times the room
            decoder.decode(data[start : start + _TEXT_SAMPLE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _no(f"no UTF-8 text ({error.reason})") from None
    if b"\0" in data:
        raise _no("text with zero bytes")
    if _MARKUP.match(data[:_TEXT_SAMPLE]):
        raise _no("markup that a browser would run")


def _json(data: bytes) -> None:
    _text(data)
    try:
        if len(data) <= _PARSED:
            json.loads(data)
        elif data.lstrip()[:1] not in (b"{", b"["):
            raise ValueError
    except (ValueError, RecursionError):
        raise _no("no JSON") from None


def _page(data: bytes) -> None:
    if not _MARKUP.match(data):
        raise _no("no HTML")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise _no("HTML that is not UTF-8") from None


def _svg(data: bytes) -> None:
    reason = drawing.refusal(data)
    if reason:
        raise NotHandedOnError(reason)


def _npy(data: bytes) -> None:
    if not data.startswith(b"\x93NUMPY") or len(data) < 12:
        raise _no("no numpy array")
    wide = data[6] > 1
    length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    header = data[12 if wide else 10 :][:length]
    if re.search(rb"'descr':\s*'[|<>=]?O|\bO\d*\b", header):
        raise NotHandedOnError(
            "a numpy array of objects is a pickle, and a pickle runs code when it is opened"
        )


def _starts_and_ends(magic: bytes, ends: bool = True) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        if not data.startswith(magic) or (ends and not data.rstrip(b"\0").endswith(magic)):
            raise _no(f"no {magic.decode('ascii', 'replace').strip()} file")

    return check


_TEXTS: dict[str, tuple[str, ArtifactKind]] = {
    "txt": ("text/plain", "text"),
    "log": ("text/plain", "text"),
    "md": ("text/markdown", "text"),
    "csv": ("text/csv", "table"),
    "tsv": ("text/tab-separated-values", "table"),
    "tex": ("text/plain", "text"),
    "yaml": ("application/yaml", "text"),
    "yml": ("application/yaml", "text"),
    "toml": ("text/plain", "text"),
}
_SORTS: dict[str, Sort] = {
    "png": Sort("image/png", "figure", _png),
    "svg": Sort("image/svg+xml", "figure", _svg),
    "jpg": Sort("image/jpeg", "figure", _jpeg),
    "jpeg": Sort("image/jpeg", "figure", _jpeg),
    "gif": Sort("image/gif", "figure", _gif),
    "pdf": Sort("application/pdf", "figure", _pdf),
    **{suffix: Sort(mime, kind, _text) for suffix, (mime, kind) in _TEXTS.items()},
    "json": Sort("application/json", "data", _json),
    "geojson": Sort("application/geo+json", "data", _json),
    "html": Sort("text/html", "page", _page),
    "parquet": Sort("application/vnd.apache.parquet", "table", _starts_and_ends(b"PAR1")),
    "feather": Sort("application/vnd.apache.arrow.file", "table", _starts_and_ends(b"ARROW1")),
    "mat": Sort("application/octet-stream", "data", _starts_and_ends(b"MATLAB 5.0 MAT-file", ends=False)),
    "npy": Sort("application/octet-stream", "data", _npy),
    "db": Sort("application/vnd.sqlite3", "data", _starts_and_ends(b"SQLite format 3\0", ends=False)),
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
