"""Decides whether an SVG is only a drawing: shapes and text, nothing that runs and nothing fetched from elsewhere."""

import re
from xml.parsers import expat

_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
_MOST_BYTES = 8 << 20
_ELEMENTS = frozenset(
    """
    svg g defs symbol use title desc metadata path rect circle ellipse line polyline polygon text tspan textPath
    clipPath mask pattern marker linearGradient radialGradient stop style image switch
    RDF Work type date format creator Agent contributor publisher rights source subject description
    """.split()  # noqa: SIM905 a list of names reads better without quotes
)
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*\Z")
_BAD_STYLE = re.compile(
    r"@import|expression\s*\(|javascript:|\\|behavior\s*:|url\s*\(\s*['\"]?\s*(?!#)", re.IGNORECASE
)


class _RefusedError(Exception):
    """The drawing holds something that has no place in one."""


def refusal(data: bytes) -> str:
    """Return why the SVG may not leave the sandbox, or "" when it may."""
    if len(data) > _MOST_BYTES:
        return f"an SVG of {len(data) >> 20} MB; at most {_MOST_BYTES >> 20} MB are allowed, use PNG"
    if b"<!ENTITY" in data or re.search(rb"<!DOCTYPE[^>]*\[", data) or b"<?xml-stylesheet" in data:
        return "an SVG that defines entities or loads a style sheet is not handed on"
    encoding = _ENCODING.search(data[:400])
    if encoding and encoding.group(1).lower() != b"utf-8":
        return "an SVG in another encoding than UTF-8 is not handed on"
    reader = _Reader()
    try:
        data.decode("utf-8")
        reader.read(data)
    except (expat.ExpatError, UnicodeDecodeError, ValueError) as error:
        return f"it is not what its name says: no SVG ({error})"
    except _RefusedError as error:
        return str(error)
    return ""


class _Reader:
    """Goes through the elements one by one, keeping nothing."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(encoding="utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.buffer_text = True
        self._is_first = True
        self._style: list[str] | None = None

    def read(self, data: bytes) -> None:
        """Read the whole drawing; raise _RefusedError, or what expat raises for what is no XML."""
        self._parser.Parse(data, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if self._is_first and name != "svg":
            raise _RefusedError("it is not what its name says: no SVG")
        self._is_first = False
        if name not in _ELEMENTS:
            raise _RefusedError(f"an SVG with a <{name[:40]}> element is not handed on")
        self._style = [] if name == "style" else None
        for key, value in attributes.items():
            reason = _attribute(name, key, value)
            if reason:
                raise _RefusedError(reason)

    def _text(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def _end(self, tag: str) -> None:
        if self._style is not None and _BAD_STYLE.search("".join(self._style)):
            raise _RefusedError("an SVG whose style sheet loads or runs something is not handed on")
        self._style = None


def _attribute(element: str, key: str, value: str) -> str:
    name = key.rpartition(":")[2].lower()
    if name.startswith("on") or "javascript:" in re.sub(r"\s", "", value).lower():
        return f"an SVG with script in its {name} attribute is not handed on"
    if name in ("href", "src") and not value.startswith("#") and not _PICTURE.match(value):
        return "an SVG that refers to something outside itself is not handed on"
    if (
        element != "svg"
        and name not in ("resource", "about")
        and _BAD_STYLE.search(value)
        and "url" in value.lower()
    ):
        return "an SVG that loads something by url() is not handed on"
    return ""
