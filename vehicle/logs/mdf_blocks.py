"""The block structure of an MDF 4 file, walked to see whether the file is whole before it is parsed.

ASAM MDF 4.1: a 64-byte identification, then blocks of `##XX`, 4 reserved bytes, length, number of links and
the links themselves (little-endian 64-bit). A file cut short has links that lead beyond its end.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

MAGIC = (b"MDF     ", b"UnFinMF ")
_FIRST_BLOCK = 64
_HEADER = struct.Struct("<4s4xQQ")
_MOST_BLOCKS = 1_000_000
_MOST_LINKS = 1_000_000


def damage(file: BinaryIO) -> str | None:
    """Return what is wrong with the structure of an MDF 4 file, or None where every block is whole."""
    size = file.seek(0, os.SEEK_END)
    if size < _FIRST_BLOCK + _HEADER.size:
        return f"it has {size} bytes, fewer than the beginning of any MDF file"
    waiting, seen = [_FIRST_BLOCK], {_FIRST_BLOCK}
    while waiting and len(seen) < _MOST_BLOCKS:
        address = waiting.pop()
        links = _links(file, address, size)
        if links is None:
            return f"a block at byte {address:,} is missing or reaches beyond its {size:,} bytes"
        fresh = [link for link in links if link and link not in seen]
        seen.update(fresh)
        waiting += fresh
    return None


def _links(file: BinaryIO, address: int, size: int) -> tuple[int, ...] | None:
    if address + _HEADER.size > size:
        return None
    file.seek(address)
    mark, length, number = _HEADER.unpack(file.read(_HEADER.size))
    whole = mark.startswith(b"##") and address + length <= size and _HEADER.size + 8 * number <= length
    if not whole or number > _MOST_LINKS:
        return None
    return struct.unpack(f"<{number}Q", file.read(8 * number))
