"""One appended batch as one row: columns to head and data, and back."""

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage import codec
from storage.codec import Floats, Ints
from storage.errors import StorageError
from storage.records import Column

HEAD = np.dtype(
    [
        ("channel", "<u4"),
        ("n", "<u4"),
        ("first_us", "<i8"),
        ("last_us", "<i8"),
        ("vmin", "<f8"),
        ("vmax", "<f8"),
        ("vsum", "<f8"),
    ]
)
_DATA = struct.Struct("<BxHI")


@dataclass(frozen=True, slots=True)
class Batch:
    """A packed batch; `zones` is a HEAD array whose channel numbers are still to be filled in."""

    n: int
    first_us: int
    last_us: int
    zones: NDArray[np.void]
    data: bytes


def pack(columns: Sequence[Column]) -> Batch:
    """Pack non-empty columns; columns with equal times share them."""
    vectors, which = _distinct([column.times_us for column in columns])
    values = np.concatenate([column.values for column in columns])
    counts = np.array([vector.size for vector in vectors], "<u4")
    times = np.concatenate(vectors)
    steps = times.copy()
    steps[1:] -= times[:-1]
    raw = b"".join(
        (
            counts.tobytes(),
            which.astype("<u2").tobytes(),
            codec.shuffle(codec.zigzag(steps)),
            codec.shuffle(values),
        )
    )
    data = _DATA.pack(codec.FORMAT, len(vectors), len(columns)) + codec.deflate(raw, live=True)
    zones = _zones(times, counts, which, values)
    return Batch(values.size, int(zones["first_us"].min()), int(zones["last_us"].max()), zones, data)


def _distinct(arrays: list[Ints]) -> tuple[list[Ints], NDArray[np.intp]]:
    by_bytes: dict[bytes, int] = {}
    by_object: dict[int, int] = {}
    vectors: list[Ints] = []
    for array in arrays:
        if id(array) not in by_object:
            number = by_bytes.setdefault(array.tobytes(), len(vectors))
            by_object[id(array)] = number
            if number == len(vectors):
                vectors.append(array)
    return vectors, np.array([by_object[id(array)] for array in arrays])


def _zones(
    times: Ints, counts: NDArray[np.uint32], which: NDArray[np.intp], values: Floats
) -> NDArray[np.void]:
    starts = np.cumsum(counts, dtype=np.int64) - counts
    n = counts[which]
    offsets = np.cumsum(n, dtype=np.int64) - n
    zones = np.empty(which.size, HEAD)
    zones["n"] = n
    zones["first_us"] = np.minimum.reduceat(times, starts)[which]
    zones["last_us"] = np.maximum.reduceat(times, starts)[which]
    with np.errstate(over="ignore", invalid="ignore"):
        zones["vmin"] = np.minimum.reduceat(values, offsets)
        zones["vmax"] = np.maximum.reduceat(values, offsets)
        zones["vsum"] = np.add.reduceat(values, offsets)
    return zones


def unpack(data: bytes) -> tuple[Ints, Floats]:
    """Return times and values of all columns of one batch, column after column in the order of its head."""
    version, vectors, columns = _DATA.unpack_from(data)
    if version != codec.FORMAT:
        raise StorageError(f"A live batch is in format {version}, which is unknown.", "Update obd-agent.")
    raw = memoryview(codec.inflate(memoryview(data)[_DATA.size :]))
    counts = np.frombuffer(raw, "<u4", vectors).astype(np.int64)
    which = np.frombuffer(raw, "<u2", columns, 4 * vectors)
    raw = raw[4 * vectors + 2 * columns :]
    size = int(counts.sum())
    words = codec.unshuffle(raw, "<u8", size).view(np.uint64)
    times = np.cumsum(codec.unzigzag(words))
    values = codec.unshuffle(raw[8 * size :], "<f8", (len(raw) - 8 * size) // 8).view(np.float64)
    return _spread(times, counts, which), values


def _spread(times: Ints, counts: Ints, which: NDArray[np.uint16]) -> Ints:
    if counts.size == 1:
        return np.tile(times, which.size)
    pieces = np.split(times, np.cumsum(counts)[:-1])
    return np.concatenate([pieces[number] for number in which])


def split(
    rows: Iterable[tuple[bytes, bytes]], wanted: Collection[int] | None = None
) -> dict[int, tuple[Ints, Floats]]:
    """Return times and values per channel number from the (head, data) of batches, in order of arrival."""
    heads, times, values = [], [], []
    for head, data in rows:
        heads.append(head)
        batch_times, batch_values = unpack(data)
        times.append(batch_times)
        values.append(batch_values)
    if not heads:
        return {}
    zones = np.frombuffer(b"".join(heads), HEAD)
    labels = np.repeat(zones["channel"], zones["n"])
    order = np.argsort(_narrow(labels), kind="stable")
    numbers, starts = np.unique(labels[order], return_index=True)
    by_channel = zip(
        numbers.tolist(),
        np.split(np.concatenate(times)[order], starts[1:]),
        np.split(np.concatenate(values)[order], starts[1:]),
        strict=True,
    )
    return {
        number: (one_times, one_values)
        for number, one_times, one_values in by_channel
        if wanted is None or number in wanted
    }


def _narrow(labels: NDArray[np.uint32]) -> NDArray[np.unsignedinteger]:
    """Return labels as uint16 where they fit, which numpy sorts by radix."""
    return labels.astype(np.uint16) if labels.max() < 1 << 16 else labels
