"""Readings over HTTP: three bodies and Arrow, equal in effect, honest about what is odd, stored once."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.app import build_app
from tools import TOOLS
from tools.context import Workshop
from tools.intake import arrow

START = "2026-05-04T08:30:00Z"
POINT = {
    "timestamp": START,
    "parameters": [
        {"pid": "010C", "name": "Engine RPM", "value": 2500, "unit": "rpm"},
        {"pid": "0105", "value": 212, "unit": "°F"},
    ],
    "location": {"latitude": 48.1, "longitude": 11.5, "altitude": 520, "speed": 50.5},
}
READINGS = {
    "readings": [
        {"time": START, "signal": "rpm", "value": 2500, "unit": "rpm"},
        {"time": START, "signal": "coolant_temp", "value": 100},
    ]
}
COLUMNS = {
    "start": START,
    "columns": {"t_s": [0], "rpm": [2500], "coolant_temp": [100]},
    "units": {"rpm": "rpm"},
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("intake")
    opened = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def session(client: TestClient) -> str:
    return str(client.post("/api/sessions").json()["id"])


def send(client: TestClient, session: str, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/api/sessions/{session}/data", content=content, headers=headers)


def stored(workshop: Workshop, session: str) -> dict[str, tuple[str, list[int], list[float]]]:
    return {
        one.signal: (one.unit, one.times_us.tolist(), one.values.tolist())
        for one in workshop.store.samples.read(session)
    }


@pytest.mark.parametrize("body", [POINT, READINGS, COLUMNS])
def test_each_body_is_stored_in_the_signals_own_units(
    body: Any, client: TestClient, session: str, workshop: Workshop
) -> None:
    answer = send(client, session, body).json()
    assert (answer["session_id"], answer["sequence"], answer["marked"], answer["unknown"]) == (
        session,
        1,
        0,
        [],
    )
    held = stored(workshop, session)
    assert answer["accepted"] == len(held)
    assert held["rpm"] == ("rpm", [0], [2500.0])
    assert held["coolant_temp"] == ("°C", [0], [pytest.approx(100.0)])
    started = client.get(f"/api/sessions/{session}").json()["session"]["started_at"]
    assert started == START


def test_a_data_point_s_place_is_kept(client: TestClient, session: str, workshop: Workshop) -> None:
    send(client, session, POINT)
    held = stored(workshop, session)
    assert (held["latitude"][2], held["altitude"][2], held["gps_speed"][2]) == ([48.1], [520.0], [50.5])


def test_times_count_from_the_first_reading_ever_sent(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    send(client, session, COLUMNS)
    later = COLUMNS | {"start": "2026-05-04T10:30:10.25+02:00", "columns": {"t_s": [0, 0.5], "rpm": [1, 2]}}
    send(client, session, later)
    earlier = {"readings": [{"time": "2026-05-04T08:29:59Z", "signal": "rpm", "value": 3}]}
    send(client, session, earlier)
    assert stored(workshop, session)["rpm"][1] == [-1_000_000, 0, 10_250_000, 10_750_000]


def test_columns_without_a_start_count_from_the_session_s(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    assert send(client, session, {"columns": {"t_s": [5.5], "rpm": [900]}}).json()["accepted"] == 1
    assert client.get(f"/api/sessions/{session}").json()["session"]["started_at"] is None
    assert stored(workshop, session)["rpm"][1] == [5_500_000]
    refused = send(client, session, COLUMNS)
    assert refused.status_code == 422
    assert "start is not known" in refused.json()["message"]


def test_what_is_out_of_range_is_kept_and_counted(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    body = {"start": START, "columns": {"t_s": [0, 1, 2], "coolant_temp": [90, 900, -300], "rpm": [1, 2, 3]}}
    assert send(client, session, body).json()["marked"] == 2
    assert stored(workshop, session)["coolant_temp"][2] == [90, 900, -300]


def test_what_no_signal_is_called_is_kept_under_its_own_name(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    body = {"start": START, "columns": {"t_s": [0], "Flux Level": [1.21]}, "units": {"Flux Level": "GW"}}
    answer = send(client, session, body).json()
    assert answer["unknown"] == ["Flux Level"]
    assert stored(workshop, session)["x_flux_level"] == ("GW", [0], [1.21])
    assert "x_flux_level" in answer["notes"][0]


def test_a_unit_that_cannot_become_the_signal_s_is_no_guess(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    body = {"readings": [{"time": START, "signal": "rpm", "value": 1, "unit": "km/h"}]}
    assert send(client, session, body).json()["unknown"] == ["rpm"]
    assert "rpm" not in stored(workshop, session)


def test_a_request_and_a_name_that_contradict_each_other_are_not_believed(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    parameter = {"pid": "010C", "name": "Vehicle speed", "value": 50, "unit": "km/h"}
    answer = send(client, session, {"timestamp": START, "parameters": [parameter]}).json()
    assert answer["unknown"] == ["Vehicle speed"]
    assert set(stored(workshop, session)) == {"x_vehicle_speed"}


def test_null_is_a_gap_and_nan_is_refused_by_name(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    body = b'{"start": "%s", "columns": {"t_s": [0, 1, 2], "rpm": [1, null, 3], "speed": [NaN, 4, Infinity]}}'
    answer = send(client, session, body % START.encode()).json()
    assert answer["accepted"] == 3
    assert answer["notes"] == ["speed: 2 values are not finite numbers and were refused"]
    assert stored(workshop, session)["rpm"][1] == [0, 2_000_000]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"[]", "none of the three"),
        ({"columns": {"rpm": [1]}}, "t_s is missing"),
        ({"columns": {"t_s": [0, 1], "rpm": [1]}}, "1 values for 2 times"),
        ({"columns": {"t_s": [None], "rpm": [1]}}, "t_s holds null"),
        ({"columns": {"t_s": [0], "rpm": ["12"]}}, "valid number"),
        ({"columns": {"t_s": [0], "rpm": [True]}}, "valid number"),
        ({"columns": {"t_s": [0], "rpm": [1]}, "units": {"speed": "km/h"}}, "no column"),
        ({"columns": {"t_s": [0], "rpm": [None]}}, "no readings"),
        ({"columns": {"t_s": [0, 1]}}, "no readings"),
        ({"readings": []}, "no readings"),
        ({"readings": [{"time": "2026-05-04T08:30:00", "signal": "rpm", "value": 1}]}, "timezone"),
        ({"readings": [{"time": 1777883400, "signal": "rpm", "value": 1}]}, "ISO 8601"),
        ({"timestamp": "0001-01-01T00:00:00+14:00", "parameters": []}, "year"),
        (READINGS | {"colour": "red"}, "unknown argument"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_the_reason(
    body: Any, said: str, client: TestClient, session: str, workshop: Workshop
) -> None:
    refused = send(client, session, body)
    assert refused.status_code == 422
    assert said in refused.json()["message"]
    assert refused.json()["hint"]
    assert not stored(workshop, session)


def test_the_same_key_stores_once_also_after_a_restart(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    first = send(client, session, COLUMNS, **{"Idempotency-Key": "a"})
    again = send(client, session, COLUMNS, **{"Idempotency-Key": "a"})
    assert first.json() == again.json()
    other = send(client, session, COLUMNS, **{"Idempotency-Key": "b"})
    assert other.json()["sequence"] == first.json()["sequence"] + 1
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as restarted:
        assert send(restarted, session, COLUMNS, **{"Idempotency-Key": "a"}).json() == first.json()
        updates = restarted.get(f"/api/sessions/{session}/live/updates").json()["events"]
        assert [event["type"] for event in updates] == []
    assert len(stored(workshop, session)["rpm"][1]) == 2


def test_a_key_used_for_another_body_is_refused(client: TestClient, session: str) -> None:
    send(client, session, COLUMNS, **{"Idempotency-Key": "a"})
    refused = send(client, session, READINGS, **{"Idempotency-Key": "a"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_arguments")


def test_a_key_whose_body_was_refused_can_be_used_for_the_right_one(client: TestClient, session: str) -> None:
    assert send(client, session, b"{}", **{"Idempotency-Key": "a"}).status_code == 422
    assert send(client, session, COLUMNS, **{"Idempotency-Key": "a"}).status_code == 200


def test_a_finished_or_unknown_session_takes_nothing(client: TestClient, session: str) -> None:
    assert send(client, "ses_nowhere", COLUMNS).status_code == 404
    send(client, session, COLUMNS)
    assert client.post(f"/api/sessions/{session}/finish").json()["state"] == "finished"
    assert client.post(f"/api/sessions/{session}/finish").status_code == 200
    assert send(client, session, COLUMNS).status_code == 422


def test_an_arrow_stream_does_what_the_columns_do(
    client: TestClient, session: str, workshop: Workshop
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"t_s": [0.0, 0.1, 0.2], "rpm": [1.0, None, 3.0], "speed": np.array([1, 2, 3])})
    speed = table.schema.field("speed").with_metadata({"unit": "mph"})
    schema = table.schema.set(2, speed).with_metadata({"start": START})
    buffer = io.BytesIO()
    with pyarrow.ipc.new_stream(buffer, schema) as writer:
        writer.write_table(table.cast(schema))
    answer = send(client, session, buffer.getvalue(), **{"Content-Type": arrow.MEDIA_TYPE}).json()
    assert answer["accepted"] == 5
    held = stored(workshop, session)
    assert held["rpm"] == ("rpm", [0, 200_000], [1.0, 3.0])
    assert held["speed"][2] == pytest.approx([1.609344, 3.218688, 4.828032])


@pytest.mark.parametrize("body", [b"", b"ARROW1", b"\xff\xff\xff\xff\x00"])
def test_what_is_no_arrow_stream_is_refused(body: bytes, client: TestClient, session: str) -> None:
    pytest.importorskip("pyarrow")
    refused = send(client, session, body, **{"Content-Type": arrow.MEDIA_TYPE})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_arguments")


def test_a_session_belongs_to_a_vehicle_that_exists(client: TestClient) -> None:
    assert client.post("/api/sessions", json={"vehicle_id": "veh_nowhere"}).status_code == 404
    made = client.post("/api/sessions", json={"name": "Trip", "metadata": {"driver": "Kim"}}).json()
    assert (made["session_id"], made["state"], made["origin"]) == (made["id"], "recording", "intake")
    details = client.get(f"/api/sessions/{made['id']}").json()["details"]
    assert details == {"metadata": {"driver": "Kim"}}


NAME = st.sampled_from(["rpm", "speed", "Coolant Temp (°F)", "x", "t_s", "latitude", "\u0130"]) | st.text(
    max_size=6
)
NUMBER = st.none() | st.integers() | st.floats() | st.booleans() | st.text(max_size=3)
UNIT = st.none() | st.sampled_from(["rpm", "°F", "km/h", "mph", "%", "?"]) | st.text(max_size=3)
TIME = st.none() | st.sampled_from([START, "2026-05-04", "9999-12-31T23:59:59Z", 5, ""]) | st.text(max_size=9)
BODY = st.one_of(
    st.fixed_dictionaries(
        {"columns": st.dictionaries(NAME, st.lists(NUMBER, max_size=3), max_size=4)},
        optional={"start": TIME, "units": st.dictionaries(NAME, UNIT, max_size=2)},
    ),
    st.fixed_dictionaries(
        {
            "readings": st.lists(
                st.fixed_dictionaries(
                    {"time": TIME, "signal": NAME, "value": NUMBER}, optional={"unit": UNIT, "ecu": UNIT}
                ),
                max_size=3,
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "timestamp": TIME,
            "parameters": st.lists(
                st.fixed_dictionaries(
                    {"value": NUMBER},
                    optional={"pid": st.text("0123456789ABx", max_size=5), "name": NAME, "unit": UNIT},
                ),
                max_size=3,
            ),
        },
        optional={"location": st.none() | st.dictionaries(st.sampled_from(["latitude", "speed"]), NUMBER)},
    ),
)


def test_whatever_is_sent_is_stored_as_counted_or_refused_with_a_reason(
    client: TestClient, workshop: Workshop
) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(BODY)
    def try_one(body: Any) -> None:
        session = workshop.store.sessions.create(origin="intake").id
        answer = send(client, session, body)
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 422:
            assert answer.json()["message"]
        accepted = answer.json().get("accepted", 0)
        assert sum(len(one) for one in workshop.store.samples.read(session)) == accepted

    try_one()


def test_a_key_makes_sending_again_harmless_whatever_was_sent(client: TestClient, workshop: Workshop) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(BODY, BODY, st.text("abc-0", max_size=4) | st.just("k" * 200) | st.just("k" * 201))
    def try_one(body: Any, other: Any, key: str) -> None:
        session = workshop.store.sessions.create(origin="intake").id
        headers = {"Idempotency-Key": key}
        first, again, changed = (send(client, session, one, **headers) for one in (body, body, other))
        assert {first.status_code, again.status_code, changed.status_code} <= {200, 422}
        assert again.json() == first.json()
        is_key = 1 <= len(key) <= 200
        if not is_key:
            assert first.status_code == 422
        if first.status_code == 200 and json.dumps(body) != json.dumps(other):
            assert changed.status_code == 422
        accepted = next((one.json()["accepted"] for one in (first, changed) if one.status_code == 200), 0)
        assert sum(len(one) for one in workshop.store.samples.read(session)) == accepted

    try_one()


COLUMN = st.lists(st.none() | st.floats(-1e6, 1e6) | st.integers(-5000, 5000), min_size=2, max_size=2)
SAMPLED = st.sampled_from(["rpm", "speed", "coolant_temp", "Flux Level", "long_fuel_trim_1"])


def test_arrow_and_json_are_equal_in_effect_whatever_the_columns(
    client: TestClient, workshop: Workshop
) -> None:
    pyarrow = pytest.importorskip("pyarrow")

    def as_arrow(columns: dict[str, list[Any]], units: dict[str, str]) -> bytes:
        arrays = {name: pyarrow.array(values, pyarrow.float64()) for name, values in columns.items()}
        fields = [
            pyarrow.field(name, pyarrow.float64(), metadata={"unit": units[name]} if name in units else None)
            for name in columns
        ]
        schema = pyarrow.schema(fields, metadata={"start": START})
        buffer = io.BytesIO()
        with pyarrow.ipc.new_stream(buffer, schema) as writer:
            writer.write_batch(pyarrow.record_batch(list(arrays.values()), schema=schema))
        return buffer.getvalue()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.dictionaries(SAMPLED, COLUMN, max_size=4),
        st.dictionaries(SAMPLED, st.sampled_from(["rpm", "mph", "km/h", "°F", "°C", "%", "GW"])),
        st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=2),
    )
    def try_one(columns: dict[str, list[Any]], units: dict[str, str], times_s: list[float]) -> None:
        columns = {"t_s": times_s, **columns}
        units = {name: unit for name, unit in units.items() if name in columns}
        sessions = [workshop.store.sessions.create(origin="intake").id for _ in range(2)]
        by_json = send(client, sessions[0], {"start": START, "columns": columns, "units": units})
        packed = as_arrow(columns, units)
        by_arrow = send(client, sessions[1], packed, **{"Content-Type": arrow.MEDIA_TYPE})
        assert by_json.status_code == by_arrow.status_code, (by_json.text, by_arrow.text)
        told = [answer.json() | {"session_id": ""} for answer in (by_json, by_arrow)]
        assert told[0] == told[1]
        assert stored(workshop, sessions[0]) == stored(workshop, sessions[1])

    try_one()
