"""Decides whether an SVG is only a drawing: shapes and text, nothing that runs and nothing fetched from elsewhere."""

import re
from xml.etree import ElementTree

_MOST_BYTES = 16 << 20
_NAMESPACE = re.compile(r"^\{[^}]*\}")
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


def refusal(data: bytes) -> str:
    """Return why the SVG may not leave the sandbox, or "" when it may."""
    if len(data) > _MOST_BYTES:
        return f"an SVG of {len(data) >> 20} MB; at most {_MOST_BYTES >> 20} MB are allowed, use PNG"
    if b"<!ENTITY" in data or re.search(rb"<!DOCTYPE[^>]*\[", data) or b"<?xml-stylesheet" in data:
        return "an SVG that defines entities or loads a style sheet is not handed on"
    try:
        data.decode("utf-8")
        root = ElementTree.fromstring(data)  # noqa: S314 entities were refused above, and the size is bounded
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError) as error:
        return f"it is not what its name says: no SVG ({error})"
    if _NAMESPACE.sub("", root.tag) != "svg":
        return "it is not what its name says: no SVG"
    return next((reason for element in root.iter() if (reason := _element(element))), "")


def _element(element: "ElementTree.Element[str]") -> str:
    name = _NAMESPACE.sub("", str(element.tag))
    if name not in _ELEMENTS:
        return f"an SVG with a <{name}> element is not handed on"
    if name == "style" and _BAD_STYLE.search(element.text or ""):
        return "an SVG whose style sheet loads or runs something is not handed on"
    return next((reason for key, value in element.items() if (reason := _attribute(name, key, value))), "")


def _attribute(element: str, key: str, value: str) -> str:
    name = _NAMESPACE.sub("", key).lower()
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
