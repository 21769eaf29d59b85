"""Number arrays to compressed bytes and back, bit for bit.

Every blob begins with a format version and a codec byte. Times are differenced once or twice, whichever packs
better, and byte-shuffled; values become dictionary codes where that is smaller. zstd does the rest.
"""

import struct
import threading
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from storage.errors import StorageError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

FORMAT = 1
DIFFERENCED, TWICE_DIFFERENCED, DICTIONARY, PLAIN = 1, 2, 3, 4
_HEADER = struct.Struct("<BBBxI")
_START = struct.Struct("<qq")
_LEVEL = 3
_LIVE_LEVEL = -1


class _Codecs(threading.local):
    """One compressor per thread, since zstd contexts must not be shared."""

    def __init__(self) -> None:
        self.compressors = {
            level: zstandard.ZstdCompressor(level=level, write_checksum=True)
            for level in (_LIVE_LEVEL, _LEVEL)
        }
        self.decompressor = zstandard.ZstdDecompressor()


_codecs = _Codecs()


def deflate(raw: bytes, live: bool = False) -> bytes:
    """Compress, with a checksum; `live` favours speed."""
    return _codecs.compressors[_LIVE_LEVEL if live else _LEVEL].compress(raw)


def inflate(blob: bytes | memoryview) -> bytes:
    """Decompress; raise StorageError where the bytes are damaged."""
    try:
        return _codecs.decompressor.decompress(blob)
    except zstandard.ZstdError as error:
        raise damaged(str(error)) from error


def damaged(what: str) -> StorageError:
    """Return the error for stored bytes that cannot be what was written."""
    return StorageError(
        f"Stored readings are damaged: {what}.",
        "Restore the database from a backup, or delete the session and import it again.",
    )


def zigzag(numbers: Ints) -> Words:
    """Map signed to unsigned so that small magnitudes have zero high bytes."""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def unzigzag(words: Words) -> Ints:
    """Undo zigzag."""
    return (words >> np.uint64(1)).view(np.int64) ^ -(words & np.uint64(1)).view(np.int64)


def shuffle(array: NDArray[np.generic]) -> bytes:
    """Return the bytes of an array, all first bytes first, then all second bytes, and so on."""
    return array.view(np.uint8).reshape(array.size, array.itemsize).T.tobytes()


def unshuffle(raw: bytes | memoryview, dtype: str, count: int) -> NDArray[Any]:
    """Undo shuffle, into an array of the named type."""
    width = np.dtype(dtype).itemsize
    planes = np.frombuffer(raw, np.uint8, count * width).reshape(width, count)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(count)


def pack_times(times: Ints) -> bytes:
    """Encode at least one time (int64 µs, any order)."""
    once = np.diff(times)
    twice = np.diff(once)
    step = int(once[0]) if once.size else 0
    packed = [
        _pack_words(DIFFERENCED, int(times[0]), 0, zigzag(once)),
        _pack_words(TWICE_DIFFERENCED, int(times[0]), step, zigzag(twice)),
    ]
    return min(packed, key=len)


def _pack_words(codec: int, first: int, step: int, words: Words) -> bytes:
    width = _width(int(words.max(initial=0)))
    raw = _START.pack(first, step) + shuffle(words.astype(f"<u{width}"))
    return _HEADER.pack(FORMAT, codec, width, 0) + deflate(raw)


def unpack_times(blob: bytes, count: int) -> Ints:
    """Decode `count` times."""
    codec, width, _, raw = _opened(blob, (DIFFERENCED, TWICE_DIFFERENCED))
    if len(raw) < _START.size:
        raise damaged("a time base is cut off")
    times = np.empty(count, np.int64)
    times[0], step = _START.unpack_from(raw)
    if count == 1:
        return times
    skipped = 1 if codec == DIFFERENCED else 2
    steps = unzigzag(_planes(raw[_START.size :], width, count - skipped).astype(np.uint64))
    times[skipped:] = steps
    if codec == TWICE_DIFFERENCED:
        times[1] = step
        np.cumsum(times[1:], out=times[1:])
    return np.cumsum(times, out=times)


def pack_values(values: Floats) -> bytes:
    """Encode at least one value (float64, bit-exact, signed zeros included)."""
    plain = deflate(shuffle(values.astype("<f8", copy=False)))
    bits, codes = np.unique(values.view(np.int64), return_inverse=True)
    if bits.size > 65_536:
        return _HEADER.pack(FORMAT, PLAIN, 8, 0) + plain
    width = _width(bits.size - 1)
    listed = deflate(bits.astype("<i8").tobytes() + shuffle(codes.astype(f"<u{width}")))
    if len(plain) < len(listed):
        return _HEADER.pack(FORMAT, PLAIN, 8, 0) + plain
    return _HEADER.pack(FORMAT, DICTIONARY, width, bits.size) + listed


def unpack_values(blob: bytes, count: int) -> Floats:
    """Decode `count` values."""
    codec, width, entries, raw = _opened(blob, (DICTIONARY, PLAIN))
    if codec == PLAIN:
        return _planes(raw, 8, count).view(np.float64)
    if len(raw) != 8 * entries + width * count:
        raise damaged("a chunk has the wrong length")
    values = np.frombuffer(raw, "<f8", entries)
    codes = _planes(raw[8 * entries :], width, count)
    return np.asarray(values.take(codes), np.float64)


def _planes(raw: bytes | memoryview, width: int, count: int) -> NDArray[np.unsignedinteger]:
    if len(raw) != width * count:
        raise damaged("a chunk has the wrong length")
    return unshuffle(raw, f"<u{width}", count)


def _width(largest: int) -> int:
    return next(width for width in (1, 2, 4, 8) if largest < 1 << (8 * width))


def _opened(blob: bytes, known: tuple[int, ...]) -> tuple[int, int, int, memoryview]:
    """Return codec, width, number of dictionary entries and payload of a blob."""
    if len(blob) < _HEADER.size:
        raise damaged("a chunk is cut off")
    version, codec, width, entries = _HEADER.unpack_from(blob)
    if version != FORMAT or codec not in known:
        raise StorageError(
            f"Stored readings are in format {version}, codec {codec}, which this version does not know.",
            "Update obd-agent to the version that wrote them, or a later one.",
        )
    return codec, width, entries, memoryview(inflate(memoryview(blob)[_HEADER.size :]))
