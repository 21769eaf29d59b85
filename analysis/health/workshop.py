"""Tests a technician can do, cheapest first, and which causes their outcome speaks for."""

from dataclasses import dataclass

from analysis.results.health import WorkshopTest


@dataclass(frozen=True, slots=True)
class Procedure:
    """A test with its time and the causes that its positive outcome means."""

    test: str
    how: str
    minutes: int
    finds: frozenset[str]
    tells: str

    def shown(self) -> WorkshopTest:
        """Return it as an answer shows it."""
        return WorkshopTest(test=self.test, how=self.how, minutes=self.minutes, tells=self.tells)


def _of(test: str, how: str, minutes: int, finds: tuple[str, ...], tells: str) -> Procedure:
    return Procedure(test, how, minutes, frozenset(finds), tells)


PROCEDURES: tuple[Procedure, ...] = (
    _of(
        "Trims at idle and at 2500 rpm",
        "Warm engine: read short plus long trim for 30 s at idle, then 30 s held at 2500 rpm.",
        3,
        ("vacuum leak",),
        "Falls towards zero at 2500 rpm: a leak behind the air mass sensor. Stays or grows: fuel or air mass.",
    ),
    _of(
        "Air mass at warm idle",
        "Read maf at warm idle, nothing switched on; 1.7 to 1.9 g/s per litre of displacement is usual.",
        2,
        ("air mass sensor reads low", "vacuum leak"),
        "Clearly under 1.5 g/s per litre: air is missed. In range: look at fuel delivery.",
    ),
    _of(
        "Fuel pressure under load",
        "Gauge or rail pressure signal at idle, then during a full-load pull on the road.",
        20,
        ("fuel delivery weak",),
        "Falls by more than 5 %, or below the maker's figure: filter, pump or its supply.",
    ),
    _of(
        "Smoke test of the intake",
        "Smoke machine at the intake with the engine off; without one: spray brake cleaner and watch the trims.",
        25,
        ("vacuum leak",),
        "Smoke, or trims that dip, show the place of the leak.",
    ),
    _of(
        "Upper hose during warm-up",
        "Cold start: feel or measure the upper radiator hose while coolant_temp climbs.",
        10,
        ("thermostat stuck open",),
        "Warm long before 80 °C: the thermostat is open. Cold until then: the thermostat is good.",
    ),
    _of(
        "Coolant against outside temperature, engine cold",
        "After a night compare coolant_temp with intake_temp and a thermometer; then warm up and compare again.",
        5,
        ("coolant sensor stuck or wrong",),
        "Off by more than 5 K cold, or no change when warm: sensor or wiring.",
    ),
    _of(
        "Fan and coolant level",
        "Check the level cold. Warm the engine at standstill and watch when the fan starts.",
        15,
        ("cooling too weak",),
        "Low level, or no fan by 105 °C: there it is. Otherwise radiator, pump, head gasket.",
    ),
    _of(
        "Voltage at battery and alternator",
        "Multimeter at 2000 rpm with lights on: at the alternator, at the battery, then the drop of each cable.",
        5,
        ("alternator weak",),
        "Under 13.2 V at the alternator: alternator or belt. Good there and low at the battery: cables.",
    ),
    _of(
        "Voltage at 2500 rpm with all loads off",
        "Multimeter at the battery, engine at 2500 rpm, lights and fans off, for two minutes.",
        4,
        ("voltage regulator overcharges",),
        "Over 15.0 V: the regulator or its sense wire. Up to 14.8 V: it regulates.",
    ),
    _of(
        "Battery load test",
        "Charge fully, then load with half the cold-cranking current for 15 s.",
        15,
        ("battery weak",),
        "Under 9.6 V at 21 °C: the battery is spent.",
    ),
    _of(
        "Misfire counts by cylinder",
        "Service 06 monitors A2 to AD, then swap the coil of the worst cylinder with its neighbour and read again.",
        10,
        ("misfire",),
        "The count follows the coil: coil. It stays: plug, injector, compression.",
    ),
    _of(
        "Rear oxygen sensor at steady 2500 rpm",
        "Watch o2_b1s1 and o2_b1s2 together for a minute, warm, after checking the exhaust for leaks.",
        8,
        ("catalyst worn",),
        "Rear follows front: the catalyst stores no oxygen. Rear rests near 0.7 V: it does.",
    ),
    _of(
        "Front oxygen sensor snap test",
        "Warm at 2500 rpm: enrich with propane, then open a vacuum hose; watch how fast o2_b1s1 follows.",
        10,
        ("front oxygen sensor slow",),
        "Slower than about 0.3 s from 0.3 to 0.6 V: the sensor is aged.",
    ),
    _of(
        "Rich running: purge and pressure",
        "Clamp the purge hose and watch the trims; then measure fuel pressure and look for leaking injectors.",
        15,
        ("mixture too rich",),
        "Trims recover with the hose clamped: purge valve. Pressure high: regulator. Neither: injectors.",
    ),
    _of(
        "Stall test or lock-up check",
        "At steady 80 km/h press the brake lightly: rpm should jump as the lock-up releases. Check fluid.",
        10,
        ("transmission slips",),
        "No jump: no lock-up. Rpm flares in gear: clutch or transmission slips.",
    ),
    _of(
        "Boost leak test",
        "Pressurise the intake to 1 bar over and listen; then compare boost with its command in third gear.",
        25,
        ("boost too low",),
        "Hissing shows the leak. None: actuator, charger, sensors.",
    ),
    _of(
        "Compression or vacuum gauge",
        "Vacuum gauge at idle, then compression of all cylinders.",
        45,
        ("engine mechanically weak",),
        "One low cylinder: valves or rings. All low: timing.",
    ),
)


def confirming(cause: str) -> WorkshopTest:
    """Return the cheapest test that would confirm a cause."""
    return min((p for p in PROCEDURES if cause in p.finds), key=lambda p: (len(p.finds), p.minutes)).shown()


def separating(first: str, second: str) -> WorkshopTest:
    """Return the cheapest test whose outcome differs between two causes."""
    apart = [p for p in PROCEDURES if (first in p.finds) != (second in p.finds)]
    return min(apart, key=lambda p: p.minutes).shown()
