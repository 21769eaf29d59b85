"""One appended batch as one row: columns to head and data, and back."""

import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage import codec
from storage.codec import Floats, Ints
from storage.errors import StorageError
from storage.records import Block, Column

# A head is one row of eight-byte words per column; the last three are floats.
CHANNEL, N, FIRST_US, LAST_US, VMIN, VMAX, VSUM = range(HEAD_WORDS := 7)
_DATA = struct.Struct("<BxHI")


@dataclass(frozen=True, slots=True)
class Batch:
    """A packed batch; the channel numbers in its `head` are still to be filled in."""

    n: int
    first_us: int
    last_us: int
    head: Ints
    data: bytes


def pack(columns: Sequence[Column]) -> Batch:
    """Pack non-empty columns; columns with equal times share them."""
    vectors, which = _distinct([column.times_us for column in columns])
    counts = np.array([vector.size for vector in vectors])
    times = np.concatenate(vectors)
    values = np.concatenate([column.values for column in columns])
    return _batch(_head(times, counts, which, values), counts, which, times, values)


def pack_block(block: Block) -> Batch:
    """Pack a block that is not empty."""
    times, values = block.times_us, block.values
    which = np.zeros(len(values), np.intp)
    return _batch(_block_head(times, values), np.array([times.size]), which, times, values.reshape(-1))


def _batch(head: Ints, counts: Ints, which: NDArray[np.intp], times: Ints, values: Floats) -> Batch:
    words = np.concatenate((times, values.view(np.int64)))
    words[1 : times.size] -= times[:-1]
    raw = b"".join((counts.astype("<u4").tobytes(), which.astype("<u2").tobytes(), codec.shuffle(words)))
    data = _DATA.pack(codec.FORMAT, counts.size, which.size) + codec.deflate(raw, live=True)
    return Batch(values.size, int(head[:, FIRST_US].min()), int(head[:, LAST_US].max()), head, data)


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


def _head(times: Ints, counts: Ints, which: NDArray[np.intp], values: Floats) -> Ints:
    starts = counts.cumsum() - counts
    n = counts[which]
    offsets = n.cumsum() - n
    head = np.empty((which.size, HEAD_WORDS), np.int64)
    head[:, N] = n
    head[:, FIRST_US] = np.minimum.reduceat(times, starts)[which]
    head[:, LAST_US] = np.maximum.reduceat(times, starts)[which]
    floats = head.view(np.float64)
    floats[:, VMIN] = np.minimum.reduceat(values, offsets)
    floats[:, VMAX] = np.maximum.reduceat(values, offsets)
    with np.errstate(over="ignore", invalid="ignore"):
        floats[:, VSUM] = np.add.reduceat(values, offsets)
    return head


def _block_head(times: Ints, values: Floats) -> Ints:
    head = np.empty((len(values), HEAD_WORDS), np.int64)
    head[:, N] = times.size
    head[:, FIRST_US], head[:, LAST_US] = times.min(), times.max()
    floats = head.view(np.float64)
    floats[:, VMIN], floats[:, VMAX] = values.min(axis=1), values.max(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        floats[:, VSUM] = values.sum(axis=1)
    return head


def heads(blobs: Iterable[bytes]) -> Ints:
    """Return the heads of several batches as one array of HEAD_WORDS columns."""
    return np.frombuffer(b"".join(blobs), "<i8").reshape(-1, HEAD_WORDS)


def unpack(data: bytes) -> tuple[Ints, Floats]:
    """Return times and values of all columns of one batch, column after column in the order of its head."""
    version, vectors, columns = _DATA.unpack_from(data)
    if version != codec.FORMAT:
        raise StorageError(f"A live batch is in format {version}, which is unknown.", "Update obd-agent.")
    raw = codec.inflate(memoryview(data)[_DATA.size :])
    counts = np.frombuffer(raw, "<u4", vectors).astype(np.int64)
    which = np.frombuffer(raw, "<u2", columns, 4 * vectors)
    start = 4 * vectors + 2 * columns
    words = codec.unshuffle(memoryview(raw)[start:], "<i8", (len(raw) - start) // 8)
    size = int(counts.sum())
    return _spread(words[:size].cumsum(), counts, which), words[size:].view(np.float64)


def _spread(times: Ints, counts: Ints, which: NDArray[np.uint16]) -> Ints:
    if counts.size == 1:
        return np.tile(times, which.size)
    pieces = np.split(times, np.cumsum(counts)[:-1])
    return np.concatenate([pieces[number] for number in which])


def split(
    rows: Iterable[tuple[bytes, bytes]], wanted: Collection[int] | None = None
) -> dict[int, tuple[Ints, Floats]]:
    """Return times and values per channel number from the (head, data) of batches, in order of arrival."""
    found, times, values = [], [], []
    for head, data in rows:
        found.append(head)
        batch_times, batch_values = unpack(data)
        times.append(batch_times)
        values.append(batch_values)
    if not found:
        return {}
    zones = heads(found)
    labels = np.repeat(zones[:, CHANNEL], zones[:, N])
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


def _narrow(labels: Ints) -> NDArray[np.integer]:
    """Return labels as uint16 where they fit, which numpy sorts by radix."""
    return labels.astype(np.uint16) if labels.max() < 1 << 16 else labels
