"""Arrays to bytes and back, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from storage import codec, live
from storage.errors import StorageError
from storage.records import Column

TIMES = st.integers(-(10**17), 10**17)
VALUES = st.floats(allow_nan=False, allow_infinity=False)
FEW_VALUES = st.sampled_from([-0.0, 0.0, 1.5, -40.0, 1e308, 5e-324])


@given(arrays(np.int64, st.integers(1, 400), elements=TIMES))
def test_times_of_any_order_come_back_bit_exact(times):
    assert codec.unpack_times(codec.pack_times(times), times.size).tolist() == times.tolist()


@given(arrays(np.float64, st.integers(1, 400), elements=VALUES | FEW_VALUES))
def test_values_come_back_bit_exact_signed_zeros_included(values):
    again = codec.unpack_values(codec.pack_values(values), values.size)
    assert again.tobytes() == values.tobytes()


def test_a_long_run_of_distinct_values_comes_back_bit_exact():
    values = np.random.default_rng(1).normal(size=70_000)
    assert codec.unpack_values(codec.pack_values(values), values.size).tobytes() == values.tobytes()


def test_quantised_values_cost_less_than_a_byte_and_jittered_times_about_two():
    random = np.random.default_rng(2)
    values = np.round(np.cumsum(random.normal(0, 1, 60_000)) * 4) / 4
    times = np.arange(60_000) * 100_000 + random.normal(0, 1_500, 60_000).astype(np.int64)
    assert len(codec.pack_values(values)) < 60_000
    assert len(codec.pack_times(times)) < 2.2 * 60_000


@pytest.mark.parametrize("cut", [20, 60, 100])
def test_damaged_bytes_are_reported_not_decoded(cut):
    blob = bytearray(codec.pack_values(np.random.default_rng(3).normal(size=500)))
    blob[cut] ^= 0xFF
    with pytest.raises(StorageError, match="damaged"):
        codec.unpack_values(bytes(blob), 500)


def test_a_chunk_of_the_wrong_length_is_reported():
    with pytest.raises(StorageError, match="wrong length"):
        codec.unpack_values(codec.pack_values(np.arange(10.0)), 11)


@pytest.mark.parametrize("unpack", [codec.unpack_times, codec.unpack_values])
def test_a_format_of_the_future_is_refused(unpack):
    with pytest.raises(StorageError, match="format 9"):
        unpack(b"\x09" + codec.pack_times(np.arange(3))[1:], 3)


def test_a_batch_keeps_shared_times_once_and_gives_every_column_back():
    shared, own = np.arange(50) * 1_000, np.arange(50) * 999
    columns = [
        Column("rpm", "rpm", None, shared, np.arange(50.0)),
        Column("speed", "km/h", None, shared.copy(), np.arange(50.0) * 2),
        Column("maf", "g/s", None, own, np.arange(50.0) / 3),
    ]
    batch = live.pack(columns)
    batch.head[:, live.CHANNEL] = [7, 3, 9]
    runs = live.split([(batch.head.tobytes(), batch.data)])
    assert list(runs) == [3, 7, 9]
    for number, column in zip((7, 3, 9), columns, strict=True):
        assert runs[number][0].tolist() == column.times_us.tolist()
        assert runs[number][1].tobytes() == column.values.tobytes()
    alone = live.pack([column._replace(times_us=own + index) for index, column in enumerate(columns)])
    assert len(batch.data) < len(alone.data)
