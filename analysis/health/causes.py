"""Possible causes: the signs that speak for and against each, and the trouble codes that point to it."""

from dataclasses import dataclass

from analysis.results.health import Priority, SystemName


@dataclass(frozen=True)
class Candidate:
    """A cause with the weights of its signs (negative: speaks against) and patterns of its trouble codes.

    Weights are our judgement of how a technician reasons; they rank, they are no probabilities.
    """

    cause: str
    title: str
    system: SystemName
    signs: dict[str, float]
    codes: tuple[str, ...]
    priority: Priority
    repair: str


CANDIDATES: tuple[Candidate, ...] = (
    Candidate(
        "vacuum leak",
        "Unmetered air: vacuum leak behind the air mass sensor",
        "fuel and air",
        {
            "lean_idle": 1.0,
            "worse_at_idle": 1.5,
            "idle_high": 0.4,
            "same_at_idle_and_load": -0.9,
            "fuel_pressure_low": -0.8,
        },
        (r"P017[14]", r"P218[79]", r"P050[67]"),
        "soon",
        "Find the leak with smoke; renew the gasket, hose or valve.",
    ),
    Candidate(
        "air mass sensor reads low",
        "Air mass sensor reads too little",
        "intake and boost",
        {
            "lean_load": 1.0,
            "lean_idle": 0.5,
            "air_low": 1.2,
            "fuel_pressure_good": 0.3,
            "worse_at_idle": -1.0,
            "fuel_pressure_low": -1.2,
        },
        (r"P010[0-4]", r"P017[14]"),
        "soon",
        "Clean the element with the proper cleaner, check the duct and air filter, else renew the sensor.",
    ),
    Candidate(
        "fuel delivery weak",
        "Too little fuel pressure or delivery",
        "fuel and air",
        {
            "lean_load": 1.0,
            "lean_idle": 0.4,
            "fuel_pressure_low": 2.0,
            "worse_at_idle": -1.0,
            "fuel_pressure_good": -1.0,
            "air_low": -0.6,
        },
        (r"P008[7-9]", r"P023[0-2]", r"P017[14]"),
        "now",
        "Check filter, pump and its supply voltage, regulator.",
    ),
    Candidate(
        "mixture too rich",
        "Mixture too rich: purge valve, injectors, fuel pressure or air mass sensor reading high",
        "fuel and air",
        {"rich_idle": 1.0, "rich_load": 1.0, "air_high": 0.6},
        (r"P017[25]", r"P218[68]", r"P0496"),
        "soon",
        "Check purge valve, fuel pressure and injectors.",
    ),
    Candidate(
        "thermostat stuck open",
        "Thermostat stuck open",
        "cooling",
        {"slow_warm_up": 1.2, "cool_regulation": 1.5, "coolant_stuck": -2.5},
        (r"P0128", r"P0125", r"P0126"),
        "next service",
        "Renew the thermostat.",
    ),
    Candidate(
        "coolant sensor stuck or wrong",
        "Coolant temperature sensor stuck or wrong",
        "cooling",
        {"coolant_stuck": 2.0, "cool_regulation": 0.3},
        (r"P011[5-9]",),
        "soon",
        "Renew sensor or repair its wiring.",
    ),
    Candidate(
        "cooling too weak",
        "Engine runs too hot: level, fan, radiator, pump",
        "cooling",
        {"hot": 2.0},
        (r"P0217", r"P048\d"),
        "now",
        "Do not drive on at a rising temperature; restore the coolant level and find why it was lost.",
    ),
    Candidate(
        "alternator weak",
        "Alternator, belt or cable charges too little",
        "charging and battery",
        {"volts_low_driving": 1.5, "volts_low_idle": 1.2},
        (r"P0562", r"P062[0-5]"),
        "now",
        "Renew what fails the voltage test: belt, alternator or cable.",
    ),
    Candidate(
        "voltage regulator overcharges",
        "Charging voltage too high",
        "charging and battery",
        {"volts_high": 2.0},
        (r"P0563",),
        "now",
        "Renew the regulator or alternator before it harms the electronics.",
    ),
    Candidate(
        "battery weak",
        "Battery weak or discharged",
        "charging and battery",
        {"crank_low": 1.2, "rest_low": 0.6, "slow_crank": 0.5, "volts_low_driving": -0.6},
        (),
        "soon",
        "Charge and test it; renew it if it fails.",
    ),
    Candidate(
        "misfire",
        "A cylinder misfires: plug, coil, injector or compression",
        "ignition",
        {"rough_idle": 1.5, "misfire_counts": 2.0, "idle_low": 0.2},
        (r"P03(?:0\d|1[0-2])", r"P035\d", r"P030\d"),
        "now",
        "Renew the part the misfire follows; a misfire ruins the catalyst.",
    ),
    Candidate(
        "catalyst worn",
        "Catalyst stores too little oxygen",
        "emissions",
        {"catalyst_spent": 2.0, "front_sensor_slow": -0.3},
        (r"P04[23]\d",),
        "next service",
        "Rule out leaks and the sensor, mend what wore it (misfire, oil, rich running), then renew it.",
    ),
    Candidate(
        "front oxygen sensor slow",
        "Front oxygen sensor aged",
        "emissions",
        {"front_sensor_slow": 1.8},
        (r"P013[0-9]", r"P015[0-9]", r"P014\d"),
        "next service",
        "Renew the sensor.",
    ),
    Candidate(
        "boost too low",
        "Boost stays under its command",
        "intake and boost",
        {"boost_low": 2.0},
        (r"P0299", r"P023[4-9]", r"P2263"),
        "soon",
        "Seal the leak, free or renew the actuator.",
    ),
    Candidate(
        "transmission slips",
        "Clutch or transmission slips",
        "transmission",
        {"gear_slip": 2.0},
        (r"P07\d\d", r"P08\d\d", r"P27\d\d"),
        "soon",
        "Check the fluid and adaptations before taking anything apart.",
    ),
    Candidate(
        "engine mechanically weak",
        "Low vacuum: valve timing, compression or exhaust restriction",
        "engine mechanical",
        {"idle_pressure_high": 1.5, "rough_idle": 0.3},
        (r"P001\d", r"P03[34]\d"),
        "soon",
        "Follow the compression test.",
    ),
)
