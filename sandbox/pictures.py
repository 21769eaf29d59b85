"""Looks into pictures of pixels: what they are, how large they are, and that nothing lies behind or inside them."""

import re
import struct
import zlib
from collections.abc import Iterator

_SIDE, _PIXELS = 12_000, 40_000_000
_PARTS = 20_000  # chunks or segments of a picture
_BLOCKS = 400_000  # of a GIF, 255 bytes each
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KINDS = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD pHYs hIST tIME tEXt".split())
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by a PNG's colour type
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # what ends a JPEG's picture data
_MARKUP = re.compile(
    rb"<\s*(?:!doctype|\?php|html|script|svg|iframe|body|head|img|object|embed)", re.IGNORECASE
)


class NotHandedOnError(Exception):
    """The file is not what it says, or of a kind that does something when it is opened."""


def lie(reason: str) -> NotHandedOnError:
    """Return the error for a file whose content is not what its name says."""
    return NotHandedOnError(f"it is not what its name says: {reason}")


def _size(width: int, height: int) -> None:
    if not (0 < width <= _SIDE and 0 < height <= _SIDE) or width * height > _PIXELS:
        raise NotHandedOnError(
            f"a picture of {width} x {height} pixels; at most {_SIDE} a side and "
            f"{_PIXELS // 1_000_000} million in all are allowed"
        )


def _only_text(comment: bytes) -> None:
    if _MARKUP.search(comment):
        raise lie("a picture with markup inside")


def png(data: bytes) -> None:
    """Raise NotHandedOnError unless the data is one PNG of allowed size, and nothing else."""
    kinds, packed, most = list[bytes](), 0, 0
    for kind, body in _chunks(data):
        if not kinds and (kind != b"IHDR" or len(body) != 13):
            raise lie("a PNG without a header")
        if kind not in _PNG_KINDS:  # compressed text and colour profiles unpack to any size
            raise NotHandedOnError(f"a PNG with a part of kind {kind.decode('latin-1')!r} is not handed on")
        if kind == b"IHDR":
            most = _unpacked(body)
        if kind == b"tEXt":
            _only_text(body)
        packed += len(body) if kind == b"IDAT" else 0
        kinds.append(kind)
    if not kinds or kinds[-1] != b"IEND" or b"IDAT" not in kinds:
        raise lie("a PNG without a picture")
    if packed > most + most // 10 + 1024:  # what is packed is never much larger than what it holds
        raise lie("a PNG with more data than its picture has")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_PNG):
        raise lie("no PNG")
    place, kind = len(_PNG), b""
    for _ in range(_PARTS):
        if kind == b"IEND" or place + 12 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        body, end = data[place + 8 : place + 8 + length], place + 8 + length
        if len(body) != length or data[end : end + 4] != struct.pack(">I", zlib.crc32(kind + body)):
            raise lie("a damaged PNG")
        yield kind, body
        place = end + 4
    if place != len(data):
        raise lie("a PNG with something else behind it, or without a picture")


def _unpacked(header: bytes) -> int:
    """Return how many bytes a PNG's picture takes when unpacked."""
    width, height, depth, colour = struct.unpack_from(">IIBB", header)
    _size(width, height)
    if depth not in (1, 2, 4, 8, 16) or colour not in _CHANNELS:
        raise lie("a PNG of unknown colours")
    return int(height * (1 + -(-width * depth * _CHANNELS[colour] // 8)))


def jpeg(data: bytes) -> None:
    """Raise NotHandedOnError unless the data is one JPEG of allowed size, and nothing else."""
    if not (data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")):
        raise lie("no JPEG")
    place, sized = 2, False
    for _ in range(_PARTS):
        if place + 2 > len(data) or data[place] != 0xFF:
            raise lie("a damaged JPEG")
        marker = data[place + 1]
        if marker == 0xD9:
            if not sized or place + 2 != len(data):
                raise lie("a JPEG without a picture, or with something else behind it")
            return
        body = _segment(data, place + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if len(body) < 5:
                raise lie("a damaged JPEG")
            height, width = struct.unpack_from(">HH", body, 1)
            _size(width, height)
            sized = True
        if marker == 0xFE or 0xE0 <= marker <= 0xEF:  # comments, and what applications put in
            _only_text(body)
        place = _behind(data, place + 4 + len(body)) if marker == 0xDA else place + 4 + len(body)
    raise lie("a JPEG of too many parts")


def _segment(data: bytes, place: int) -> bytes:
    if place + 2 > len(data):
        raise lie("a damaged JPEG")
    length: int = struct.unpack_from(">H", data, place)[0]
    if length < 2 or place + length > len(data):
        raise lie("a damaged JPEG")
    return data[place + 2 : place + length]


def _behind(data: bytes, place: int) -> int:
    """Return where the picture data that begins at `place` ends."""
    found = _MARKER.search(data, place)
    if found is None:
        raise lie("a damaged JPEG")
    return found.start()


def gif(data: bytes) -> None:
    """Raise NotHandedOnError unless the data is one GIF whose frames are of allowed size, and nothing else."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 14:
        raise lie("no GIF")
    _size(*struct.unpack_from("<HH", data, 6))
    place = 13 + _colours(data[10])
    try:
        for _ in range(_PARTS):
            if data[place] == 0x3B:
                if place + 1 != len(data):
                    raise lie("a GIF with something else behind it")
                return
            place = _gif_part(data, place)
    except (IndexError, struct.error):
        raise lie("a damaged GIF") from None
    raise lie("a GIF of too many parts")


def _colours(flags: int) -> int:
    """Return how many bytes a GIF's table of colours takes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_part(data: bytes, place: int) -> int:
    """Return where the extension or frame at `place` ends."""
    if data[place] == 0x21:
        end = _blocks(data, place + 2)
        _only_text(data[place + 2 : end])
        return end
    if data[place] != 0x2C:
        raise lie("a damaged GIF")
    _size(*struct.unpack_from("<HH", data, place + 5))
    return _blocks(data, place + 11 + _colours(data[place + 9]))


def _blocks(data: bytes, place: int) -> int:
    for _ in range(_BLOCKS):
        length = data[place]
        place += length + 1
        if not length:
            return place
    raise lie("a GIF of too many parts")
