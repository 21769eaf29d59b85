"""Decides whether an SVG is only a drawing: shapes and text, nothing that runs and nothing fetched from elsewhere."""

import base64
import re
from xml.parsers import expat

from sandbox import pictures
from sandbox.pictures import NotHandedOnError

_ENCODING = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
_MOST_BYTES = 8 << 20
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    """
    svg g defs symbol use title desc metadata path rect circle ellipse line polyline polygon text tspan textPath
    clipPath mask pattern marker linearGradient radialGradient stop style image switch
    """.split()  # noqa: SIM905 a list of names reads better without quotes
)
# Who made the drawing, as matplotlib writes it.
_ABOUT = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": frozenset(("RDF",)),
    "http://creativecommons.org/ns#": frozenset(("Work", "Agent")),
    "http://purl.org/dc/elements/1.1/": frozenset(
        "type date format creator title contributor publisher rights source subject description".split()  # noqa: SIM905 as above
    ),
}
_PICTURE = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/=\s]*)\Z")
# In CSS a backslash can spell anything.
_BAD_STYLE = re.compile(
    r"expression\s*\(|javascript:|\\|behavior\s*:|image-set\s*\(|\bimage\s*\(|\bsrc\s*[(:]|element\s*\("
    r"|url\s*\(\s*['\"]?\s*(?!#)",
    re.IGNORECASE,
)


class _RefusedError(Exception):
    """The drawing holds something that has no place in one."""


def refusal(data: bytes) -> str:
    """Return why the SVG may not leave the sandbox, or "" when it may."""
    if len(data) > _MOST_BYTES:
        return f"an SVG of {len(data) >> 20} MB; at most {_MOST_BYTES >> 20} MB are allowed, use PNG"
    if b"<!ENTITY" in data or b"<?xml-stylesheet" in data:
        return "an SVG that defines entities or loads a style sheet is not handed on"
    encoding = _ENCODING.match(data)
    if encoding and encoding.group(1).lower() != b"utf-8":
        return "an SVG in another encoding than UTF-8 is not handed on"
    reader = _Reader()
    try:
        data.decode("utf-8")
        reader.read(data)
    except (expat.ExpatError, UnicodeDecodeError, ValueError) as error:
        return f"it is not what its name says: no SVG ({error})"
    except (_RefusedError, NotHandedOnError) as error:
        return str(error)
    return ""


class _Reader:
    """Goes through the elements one by one, keeping only which are open and what is drawn again elsewhere."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _document_type
        self._parser.buffer_text = True
        self._is_first = True
        self._style: list[str] | None = None
        self._open: list[str] = []  # ids of the elements around, "" where there is none
        self._drawn: set[str] = set()  # ids that a <use> draws again
        self._drawing: set[str] = set()  # ids of elements with a <use> inside

    def read(self, data: bytes) -> None:
        """Read the whole drawing; raise _RefusedError, or what expat raises for what is no XML."""
        self._parser.Parse(data, True)
        if self._drawn & self._drawing:  # ten copies of ten copies of ten ...
            raise _RefusedError("an SVG that draws copies of copies is not handed on")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        space, _, name = tag.rpartition(" ")
        if self._is_first and (space, name) != (_SVG, "svg"):
            raise _RefusedError("it is not what its name says: no SVG")
        self._is_first = False
        if name not in (_ELEMENTS if space == _SVG else _ABOUT.get(space, ())):
            raise _RefusedError(f"an SVG with a <{name[:40]}> element is not handed on")
        if self._style is not None:
            raise _RefusedError("an SVG with elements inside of its style sheet is not handed on")
        self._style = [] if name == "style" else None
        for key, value in attributes.items():
            _check_attribute(key, value)
        self._note_copies(name, attributes)

    def _note_copies(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(attributes.get("id", ""))
        if name == "use":
            self._drawn.update(value[1:] for key, value in attributes.items() if key.endswith("href"))
            self._drawing.update(self._open)
            self._drawing.discard("")

    def _text(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def _end(self, tag: str) -> None:
        self._open.pop()
        if self._style is not None:
            style = "".join(self._style)
            if "@" in style or _BAD_STYLE.search(style):
                raise _RefusedError("an SVG whose style sheet loads or runs something is not handed on")
        self._style = None


def _document_type(name: str, system: str | None, public: str | None, has_subset: int) -> None:
    if has_subset or not (system or "http://www.w3.org/").startswith("http://www.w3.org/"):
        raise _RefusedError("an SVG with a document type of its own is not handed on")


def _check_attribute(key: str, value: str) -> None:
    name = key.rpartition(" ")[2].lower()
    if name.startswith("on") or "javascript:" in re.sub(r"\s", "", value).lower():
        raise _RefusedError(f"an SVG with script in its {name[:40]} attribute is not handed on")
    if name == "base":
        raise _RefusedError("an SVG that says where it lies is not handed on")
    if name in ("href", "src") and not value.startswith("#"):
        _check_picture(value)
    elif _BAD_STYLE.search(value):
        raise _RefusedError("an SVG that loads something by its style is not handed on")


def _check_picture(value: str) -> None:
    """Raise _RefusedError for a reference that is no picture, NotHandedOnError for one that is not what it says."""
    found = _PICTURE.match(value)
    if found is None:
        raise _RefusedError("an SVG that refers to something outside itself is not handed on")
    check = pictures.png if found.group(1) == "png" else pictures.jpeg
    check(base64.b64decode(found.group(2)))
