"""Vehicles, sessions and what belongs to them, on both databases."""

import time
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from storage_databases import BACKENDS, batch, database

from storage.errors import InvalidDataError, NotFoundError, TooLargeError
from storage.store import Store, open_store

START = datetime(2026, 3, 1, 8, 30, 0, 123_456, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def store(request, tmp_path):
    with database(request.param, tmp_path) as address, open_store(address) as opened:
        yield opened


def test_a_vehicle_is_saved_changed_found_and_listed(store: Store):
    polo = store.vehicles.save(name="Polo", vin=" wvwzzz1kz6w000001 ", year=2006, mass_kg=1150.5)
    assert polo.id.startswith("veh_")
    assert (polo.vin, polo.make) == ("WVWZZZ1KZ6W000001", None)
    changed = store.vehicles.save(polo.id, make="VW", year=None)
    assert (changed.name, changed.make, changed.year, changed.mass_kg) == ("Polo", "VW", None, 1150.5)
    assert changed.updated_at > polo.updated_at
    assert changed.created_at == polo.created_at
    assert store.vehicles.get(polo.id) == changed == store.vehicles.find("wvwzzz1kz6w000001")
    store.vehicles.save(name="100% petrol")
    assert store.vehicles.list(text="0%").rows[0].name == "100% petrol"
    assert store.vehicles.list(text="zzz1").total == 1
    rows, total = store.vehicles.list(limit=1, offset=1)
    assert ([one.name for one in rows], total) == (["Polo"], 2)


def test_a_vin_belongs_to_one_vehicle(store: Store):
    first = store.vehicles.save(vin="WVWZZZ1KZ6W000001")
    with pytest.raises(InvalidDataError, match=first.id):
        store.vehicles.save(vin="wvwzzz1kz6w000001")
    store.vehicles.save(first.id, vin="WVWZZZ1KZ6W000001", name="same")


def test_a_vehicle_with_sessions_stays_and_one_without_goes_with_its_snapshots(store: Store):
    car = store.vehicles.save(name="car")
    store.snapshots.save(None, car.id, "trouble_codes", {"codes": ["P0420"]})
    session = store.sessions.create(origin="capture", vehicle_id=car.id)
    with pytest.raises(InvalidDataError, match="1 sessions"):
        store.vehicles.delete(car.id)
    store.sessions.update(session.id, vehicle_id=None)
    assert store.vehicles.delete(car.id).counts == {"vehicles": 1, "snapshots": 1}
    with pytest.raises(NotFoundError):
        store.vehicles.get(car.id)


def test_a_field_that_does_not_exist_is_refused_and_the_fields_named(store: Store):
    for save in (store.vehicles.save, partial(store.sessions.create, origin="capture")):
        with pytest.raises(InvalidDataError, match="colour") as caught:
            save(colour="red")
        assert "notes" in caught.value.hint


def test_a_session_tells_what_was_said_and_what_was_read(store: Store):
    car = store.vehicles.save(name="car")
    session = store.sessions.create(
        origin="capture",
        name="Drive",
        source="sim:polo",
        vehicle_id=car.id,
        started_at=START.astimezone(timezone(timedelta(hours=2))),
        details={"rate_hz": 10.5, "ecus": ["7E8"]},
    )
    assert session.id.startswith("ses_")
    assert (session.state, session.version, session.duration_s, session.warnings) == ("recording", 1, 0.0, [])
    assert session.started_at == START
    store.samples.append(session.id, batch(1, 3))
    store.samples.append(session.id, batch(1, 0))
    live = store.sessions.get(session.id)
    assert (live.readings, live.first_us, live.last_us, live.duration_s) == (30, 0, 19_000, 0.019)
    finished = store.sessions.finish(session.id)
    assert finished.ended_at == START + timedelta(microseconds=19_000)
    assert finished.details == {"rate_hz": 10.5, "ecus": ["7E8"]}
    versions = [session.version, live.version, finished.version]
    assert versions == sorted(set(versions))


def test_an_update_changes_what_is_given_and_the_version(store: Store):
    session = store.sessions.create(origin="intake", name="before", notes="kept")
    changed = store.sessions.update(session.id, name="after", warnings=["2 values dropped"])
    assert (changed.name, changed.notes, changed.warnings) == ("after", "kept", ["2 values dropped"])
    assert changed.version == session.version + 1
    assert store.sessions.get(session.id) == changed


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"started_at": datetime(2026, 1, 1)}, "no time zone"),
        ({"details": {"x": float("nan")}}, "JSON"),
        ({"details": {"x": object()}}, "JSON"),
        ({"name": "a\udc80"}, "Text cannot be stored"),
    ],
)
def test_what_cannot_be_stored_faithfully_is_refused(store: Store, fields, says):
    with pytest.raises(InvalidDataError, match=says):
        store.sessions.create(origin="import", **fields)


def test_an_unknown_vehicle_is_not_found(store: Store):
    session = store.sessions.create(origin="capture")
    for attempt in (
        lambda: store.sessions.create(origin="capture", vehicle_id="veh_none"),
        lambda: store.sessions.update(session.id, vehicle_id="veh_none"),
        lambda: store.vehicles.save("veh_none", name="x"),
        lambda: store.snapshots.save(None, "veh_none", "trouble_codes", {}),
    ):
        with pytest.raises(NotFoundError, match="veh_none"):
            attempt()


def test_sessions_are_listed_latest_first_filtered_and_in_pages(store: Store):
    car = store.vehicles.save(name="car")
    for number in range(5):
        session = store.sessions.create(
            origin="capture",
            name=f"Drive {number}",
            started_at=START + timedelta(days=number),
            vehicle_id=car.id,
        )
        if number % 2:
            store.sessions.finish(session.id)
    store.sessions.create(origin="import", name="elsewhere", source="log_50%.csv", started_at=START)
    rows, total = store.sessions.list(vehicle_id=car.id, limit=2, offset=1)
    assert ([one.name for one in rows], total) == (["Drive 3", "Drive 2"], 5)
    assert store.sessions.list(state="finished").total == 2
    assert [one.name for one in store.sessions.list(text="50%").rows] == ["elsewhere"]
    assert store.sessions.list(text="%_%").total == 0
    assert store.sessions.list(text="drive 4").total == 1
    with pytest.raises(InvalidDataError, match="negative"):
        store.sessions.list(limit=-1)


def test_an_import_is_hidden_until_it_is_finished(store: Store):
    session = store.sessions.create(origin="import", state="importing", name="log")
    store.samples.append(session.id, batch(1, 0))
    assert store.sessions.list().total == 0
    with pytest.raises(NotFoundError):
        store.sessions.get(session.id)
    assert store.sessions.get(session.id, include_importing=True).readings == 15
    assert (
        store.sessions.list(include_importing=True).total == store.sessions.list(state="importing").total == 1
    )
    assert store.sessions.finish(session.id).state == "finished"
    assert store.sessions.list().rows[0].readings == 15


def test_gaps_are_kept_in_time_order(store: Store):
    session = store.sessions.create(origin="capture").id
    store.sessions.add_gap(session, 5_000, 9_000, "adapter unplugged")
    store.sessions.add_gap(session, 1_000, 2_000, "no answer")
    assert [(one.start_us, one.reason) for one in store.sessions.gaps(session)] == [
        (1_000, "no answer"),
        (5_000, "adapter unplugged"),
    ]
    assert store.sessions.get(session).version == 3
    for start, end in [(2, 1), (0, 10**30)]:
        with pytest.raises(InvalidDataError, match="cannot be"):
            store.sessions.add_gap(session, start, end, "nonsense")
    for ask in (store.sessions.gaps, store.sessions.delete, store.sessions.get):
        with pytest.raises(NotFoundError):
            ask("ses_none")


def test_artifacts_come_back_whole_and_are_listed_without_their_bytes(store: Store, monkeypatch):
    session = store.sessions.create(origin="capture").id
    data = bytes(range(256)) * 100
    saved = store.artifacts.save(session, "plot", "rpm.png", "image/png", data, {"signals": ["rpm"]})
    assert saved.id.startswith("art_")
    got = store.artifacts.get(saved.id)
    assert (got.data, got.size, got.details, got.mime) == (data, 25_600, {"signals": ["rpm"]}, "image/png")
    store.artifacts.save(None, "report", "fleet.html", "text/html", b"<p>")
    assert store.artifacts.list().total == 2
    listed = store.artifacts.list(session_id=session, kind="plot").rows
    assert listed == [saved]
    assert listed[0].data is None
    assert store.artifacts.delete(saved.id).counts == {"artifacts": 1}
    for ask in (store.artifacts.get, store.artifacts.delete):
        with pytest.raises(NotFoundError):
            ask(saved.id)
    with pytest.raises(NotFoundError, match="ses_none"):
        store.artifacts.save("ses_none", "plot", "x", "image/png", b"")
    monkeypatch.setattr("storage.artifacts.MAX_BYTES", 10)
    with pytest.raises(TooLargeError):
        store.artifacts.save(session, "export", "x.csv", "text/csv", b"x" * 11)


def test_snapshots_are_kept_by_session_and_by_vehicle(store: Store):
    car = store.vehicles.save(name="car").id
    session = store.sessions.create(origin="capture", vehicle_id=car).id
    first = store.snapshots.save(session, car, "trouble_codes", {"stored": ["P0171"]})
    store.snapshots.save(None, car, "readiness", {"catalyst": True})
    assert store.snapshots.list(session_id=session).rows == [first]
    assert store.snapshots.list(vehicle_id=car).total == 2
    assert store.snapshots.get(first.id).data == {"stored": ["P0171"]}
    assert store.snapshots.list(kind="readiness").rows[0].data == {"catalyst": True}
    with pytest.raises(NotFoundError):
        store.snapshots.get("snp_none")


def test_deleting_a_session_removes_all_of_it_and_nothing_else_and_says_what(store: Store):
    kept, gone = (store.sessions.create(origin="capture", name=name).id for name in ("kept", "gone"))
    for session in (kept, gone):
        store.samples.append(session, batch(1, 0), key="k")
        store.sessions.finish(session)
        store.sessions.add_gap(session, 0, 1, "gap")
        store.artifacts.save(session, "plot", "p", "image/png", b"p")
        store.snapshots.save(session, None, "trouble_codes", {})
    removed = store.sessions.delete(gone).counts
    assert (
        removed.items()
        >= {
            "readings": 15,
            "live batches": 0,
            "chunks": 3,
            "time bases": 1,
            "channels": 3,
            "receipts": 1,
            "gaps": 1,
            "artifacts": 1,
            "snapshots": 1,
        }.items()
    )
    assert [one.id for one in store.sessions.list().rows] == [kept]
    assert sum(len(series) for series in store.samples.read(kept)) == 15
    assert (store.artifacts.list().total, store.snapshots.list().total) == (1, 1)
    with pytest.raises(NotFoundError):
        store.samples.append(gone, batch(1, 1))


def test_a_session_knows_when_it_last_took_readings_whatever_times_they_carry(store: Store):
    session = store.sessions.create(origin="intake", started_at=START)
    assert session.appended_us is None
    before = time.time_ns() // 1000
    store.samples.append(session.id, batch(0, 0))
    first = store.sessions.get(session.id).appended_us
    assert first is not None
    assert before <= first <= time.time_ns() // 1000
    store.samples.append(session.id, batch(0, -1))
    assert store.sessions.get(session.id).appended_us > first
    assert store.sessions.finish(session.id).appended_us > first


def test_a_vehicle_s_snapshots_are_also_those_of_its_sessions(store: Store):
    car, other = store.vehicles.save(name="one").id, store.vehicles.save(name="other").id
    session = store.sessions.create(origin="capture", vehicle_id=car).id
    kept = store.snapshots.save(session, None, "trouble_codes", {"stored": ["P0171"]})
    assert store.snapshots.list(vehicle_id=car, kind="trouble_codes").rows == [kept]
    store.sessions.update(session, vehicle_id=other)
    assert store.snapshots.list(vehicle_id=car).total == 0
    assert store.snapshots.list(vehicle_id=other).rows == [kept]


def test_alerts_are_found_by_how_their_rules_begin(store: Store):
    session = store.sessions.create(origin="capture").id
    said = dict.fromkeys(("title", "unit", "expected", "explanation", "recommendation"), "")
    for rule in ("trouble_code_stored", "trouble_code_pending", "trouble%", "coolant_jump"):
        store.alerts.add(session, 0, rule=rule, signal="P0171", ecu=None, severity="info", value=None, **said)
    assert store.alerts.list(rules="trouble_code_").total == 2
    assert store.alerts.list(rules="trouble%").total == 1
