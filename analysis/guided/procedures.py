"""The guided tests: steps asked of the technician and the conditions that show they were done; no numpy here.

Speeds, holding times and limits are our choice, close to workshop practice (idle against 2000 to 2500 rpm: GEARS
magazine, Put Fuel Trim to Work for You; snap throttle: MOTOR magazine, Driveability Corner, October 2002).
"""

from collections.abc import Mapping

from analysis.guided.steps import Bound, Change, Procedure, Step

VOLTAGES = ("control_module_voltage", "elm_voltage")
CLOSED_LOOP = (2.0, 16.0)  # SAE J1979 PID 03: closed loop, closed loop with a fault
_STANDING = Bound("speed", "km/h", high=0.0)
_IDLE = Bound("rpm", "rpm", 450.0, 1150.0)
_WARM = Bound("coolant_temp", "°C", low=70.0)
_CLOSED = Bound("fuel_status", "code", codes=CLOSED_LOOP)
_PARKED = "Park the car, brake on, gear in neutral or P. "

PROCEDURES: Mapping[str, Procedure] = {
    "hold_2500_rpm": Procedure(
        "Fuel trims at idle against 2500 rpm",
        _PARKED + "Engine warm, air conditioning and other consumers off.",
        (("rpm",), ("short_fuel_trim_1",), ("long_fuel_trim_1",)),
        (
            *("coolant_temp", "fuel_status", "speed", "short_fuel_trim_2", "long_fuel_trim_2", "maf"),
            *("intake_pressure", "fuel_pressure"),
        ),
        (
            Step(
                "idle",
                "Let the engine idle, foot off the pedal.",
                (_IDLE, _STANDING, _WARM, _CLOSED),
                10,
                6,
                240,
            ),
            Step(
                "hold",
                "Hold the engine at 2500 rpm, steadily.",
                (Bound("rpm", "rpm", 2250.0, 2750.0), _STANDING, _CLOSED),
                12,
                6,
            ),
        ),
    ),
    "snap_throttle": Procedure(
        "Snap of the throttle",
        _PARKED + "Engine warm. Nobody in front of the car.",
        (("rpm",), ("intake_pressure", "o2_b1s1", "absolute_load")),
        (
            *("intake_pressure", "o2_b1s1", "absolute_load", "throttle_pos", "speed", "maf", "fuel_pressure"),
            *("fuel_status", "coolant_temp", "barometric_pressure", "intake_temp"),
        ),
        (
            Step(
                "idle",
                "Let the engine idle, foot off the pedal.",
                (_IDLE, _STANDING, _WARM, _CLOSED),
                3,
                2,
                180,
            ),
            Step(
                "snap",
                "Push the pedal down to the floor and let go at once.",
                (Bound("rpm", "rpm", low=2800.0),),
            ),
            Step(
                "recover",
                "Keep the foot off; let the engine come back to idle.",
                (_IDLE,),
                4,
                0,
                25,
                may_fail=True,
            ),
        ),
    ),
    "idle_with_load": Procedure(
        "Idle and charging under electrical load",
        _PARKED + "Engine warm, all consumers off to begin with.",
        (("rpm",), VOLTAGES),
        ("engine_load", "speed", "coolant_temp", "short_fuel_trim_1", "long_fuel_trim_1"),
        (
            Step("unloaded", "Let the engine idle with every consumer off.", (_IDLE, _STANDING), 8, 3, 180),
            Step(
                "loaded",
                "Switch on headlights, rear window heating and the blower at its highest; keep the foot off.",
                (Bound("rpm", "rpm", 250.0, 1400.0), _STANDING),
                8,
                3,
                changes=(*(Change(name, "V", -0.1) for name in VOLTAGES), Change("engine_load", "%", 2.0)),
            ),
            Step(
                "raised",
                "With everything still on, hold the engine at about 1600 rpm.",
                (Bound("rpm", "rpm", 1350.0, 2200.0), _STANDING),
                5,
                2,
                60,
                may_fail=True,
            ),
        ),
    ),
    "crank": Procedure(
        "Starting the engine",
        _PARKED + "Ignition on, engine off, consumers off.",
        (("rpm",), VOLTAGES),
        ("coolant_temp",),
        (
            Step(
                "standing",
                "Leave the ignition on and the engine off.",
                (Bound("rpm", "rpm", high=50.0),),
                2,
                0,
                180,
            ),
            Step(
                "cranking", "Start the engine.", (Bound("rpm", "rpm", low=400.0),), limit_s=60, may_fail=True
            ),
            Step(
                "running",
                "Let it run, foot off the pedal.",
                (Bound("rpm", "rpm", low=400.0),),
                3,
                0,
                15,
                may_fail=True,
            ),
        ),
    ),
}
