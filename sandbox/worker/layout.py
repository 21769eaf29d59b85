"""How a session lies in memory: a JSON header, then for every time axis its times and a block of columns.

    "OBDSESS1" | length of header (uint32) | header | padding | int64 times | float64 columns x rows | next axis …

Everything is little-endian and starts at a multiple of 64 bytes, so that numpy uses it where it lies.
Signals that were read at the same moments share an axis.
"""

import struct

MAGIC = b"OBDSESS1"
HEAD = struct.Struct("<8sI")
ALIGNMENT = 64


def aligned(offset: int) -> int:
    """Return the first position at or after `offset` where an array may start."""
    return -(-offset // ALIGNMENT) * ALIGNMENT
