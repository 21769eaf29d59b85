"""All drives of the benchmark: learned from, tuned on, and judged, simulated and real."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from analysis.table import SignalSeries, SignalTable
from anomaly_benchmark.drives import Drive, real, simulated
from anomaly_benchmark.faults import DIESEL, IN_STATE, PHYSICAL, REAL, SENSOR, in_state, inject

LEARNED, TUNED, UNSEEN, PER_KIND = 12, 8, 8, 3
_REAL_PER_KIND = 5
_SHOWS_C, _SHOWS_S, _IDLES_S = 72.0, 60.0, 20.0


@dataclass(frozen=True)
class Corpus:
    """Healthy drives to learn from, to tune the threshold on and to count false alarms on, and faulty ones."""

    name: str
    learned: list[Drive]
    tuned: list[Drive]
    unseen: list[Drive]
    faulty: list[Drive]


def simulated_corpus(offset: int = 0) -> Corpus:
    """Simulate the drives on two processes; another offset means other drives throughout."""
    jobs: list[tuple[int, str, float, float]] = [
        (1000 + offset + k, "", 1.0, 0.0) for k in range(LEARNED + TUNED + UNSEEN)
    ]
    rng = np.random.default_rng(11 + offset)
    jobs += _physical_jobs(2000 + offset, 1.0, PER_KIND, rng)
    drives = _driven(jobs)
    healthy, faulty = drives[: LEARNED + TUNED + UNSEEN], drives[LEARNED + TUNED + UNSEEN :]
    unseen = healthy[LEARNED + TUNED :]
    return Corpus(
        "simulated",
        healthy[:LEARNED],
        healthy[LEARNED : LEARNED + TUNED],
        unseen,
        faulty + list(_sensor_faults(unseen, rng)),
    )


def halved(whole: Corpus) -> Corpus:
    """Return the same healthy drives with faults of half the size; stuck and dropped signals have none."""
    rng = np.random.default_rng(12)
    physical = _driven(_physical_jobs(3000, 0.5, PER_KIND - 1, rng))
    sensor = []
    for one in _sensor_faults(whole.unseen, rng):
        if one.kind in ("spike", "drift", "bias"):
            healthy = next(drive for drive in whole.unseen if one.name.endswith(drive.name))
            sensor.append(replace(one, table=_between(healthy.table, one.table)))
    return replace(whole, name="simulated, faults of half the size", faulty=physical + sensor)


def _between(healthy: SignalTable, faulty: SignalTable) -> SignalTable:
    return SignalTable(
        {
            name: SignalSeries(name, one.unit, one.times_s, (one.values + healthy[name].values) / 2)
            for name, one in faulty.items()
        }
    )


def _physical_jobs(
    seed: int, size: float, count: int, rng: np.random.Generator
) -> list[tuple[int, str, float, float]]:
    return [
        (seed + 10 * number + k, fault, severity * size, float(rng.uniform(240, 420)))
        for number, (fault, severity) in enumerate(PHYSICAL.values())
        for k in range(count)
    ]


def _driven(jobs: list[tuple[int, str, float, float]]) -> list[Drive]:
    named = {fault: kind for kind, (fault, _) in PHYSICAL.items()}
    with ProcessPoolExecutor(2) as pool:
        drives = pool.map(simulated, *zip(*jobs, strict=True), chunksize=4)
        return [replace(one, kind=named.get(one.kind, "")) for one in drives]


def _sensor_faults(healthy: list[Drive], rng: np.random.Generator) -> Iterator[Drive]:
    number = 0
    for kind, injections in SENSOR.items():
        for injection in injections:
            yield inject(healthy[number % len(healthy)], kind, injection, rng)
            number += 1


def real_corpus(offset: int = 0) -> Corpus | None:
    """Read the real drives and put faults into them; every drive is judged by the others of its car."""
    healthy = real("petrol")
    if not healthy:
        return None
    rng = np.random.default_rng(5 + offset)
    faulty: list[Drive] = []
    number = offset
    for kind, injections in REAL.items():
        for k in range(max(_REAL_PER_KIND, len(injections))):
            injection = injections[k % len(injections)]
            fitting = [one for one in healthy if one.span_s[1] - one.span_s[0] > injection.lasting_s + 180]
            faulty.append(inject(fitting[number % len(fitting)], kind, injection, rng))
            number += 1
    for kind in IN_STATE:
        fitting = [one for one in healthy if _can_show(kind, one)]
        for k in range(_REAL_PER_KIND):
            faulty.append(in_state(fitting[(k + offset) % len(fitting)], kind, rng))
    return Corpus("real petrol car", healthy, healthy, healthy, [one for one in faulty if one.fault])


def diesel_corpus() -> Corpus | None:
    """Read a second real car, a diesel, and put sensor faults into its drives."""
    healthy = real("diesel")
    if not healthy:
        return None
    rng = np.random.default_rng(3)
    chosen = [(kind, one) for kind, several in DIESEL.items() for one in several for _ in range(2)]
    faulty = [inject(healthy[k % len(healthy)], kind, one, rng) for k, (kind, one) in enumerate(chosen)]
    return Corpus("real diesel car", healthy, healthy, healthy, [one for one in faulty if one.fault])


def _can_show(kind: str, drive: Drive) -> bool:
    """Say whether a drive has the state a fault shows in: a warm engine, or idling in its later part.

    A misfire needs one stop that long: within 15 s this log reads rpm eight times, most of them while the engine
    speed still falls or the car pulls away again.
    """
    table = drive.table
    period_s = float(np.median(np.diff(table["rpm"].times_s)))
    if kind == "thermostat":
        return bool((table["coolant_temp"].values > _SHOWS_C).sum() * period_s > _SHOWS_S)
    late = table["rpm"].times_s > drive.span_s[1] * 0.7
    idling = late & (table["speed"].values < 1) & (table["rpm"].values > 400)
    stops = np.diff(np.flatnonzero(np.diff(np.concatenate(([False], idling, [False])))).reshape(-1, 2))
    rows = stops.max(initial=0) if kind == "misfire" else idling.sum()
    return bool(rows * period_s > _IDLES_S)
