"""The limits that hold for any car, with what to say and do."""

from analysis.streaming.changes import Said
from analysis.streaming.limits import Limit

_STOP = (
    "Stop where it is safe and switch the engine off; look at coolant level, fan and thermostat when cold."
)
_TRIM = "The mixture correction is near the end of its range; a code P0171, P0172, P0174 or P0175 usually follows."

LIMITS: tuple[Limit, ...] = (
    Limit(
        "coolant_overheating", "coolant_temp", "°C", "critical", 110.0, 105.0,
        Said(
            "Coolant too hot", "below 110 °C",
            "Thermostats regulate to about 85 to 105 °C; above 110 °C the coolant nears boiling.", _STOP,
        ),
    ),
    Limit(
        "oil_overheating", "oil_temp", "°C", "critical", 150.0, 140.0,
        Said(
            "Engine oil too hot", "below 150 °C",
            "Mineral and most synthetic oils lose their film strength above about 150 °C.",
            "Reduce load at once; check oil level and oil cooler.",
        ),
    ),
    *(
        Limit(
            "catalyst_overheating", f"catalyst_temp_b{bank}s1", "°C", "critical", 1000.0, 900.0,
            Said(
                "Catalyst too hot", "below 1000 °C",
                "Unburnt fuel burns in the catalyst; its substrate is damaged from about 1000 °C on.",
                "Reduce load; look for misfires and a rich mixture before driving on.",
            ),
        )
        for bank in (1, 2)
    ),
    Limit(
        "overcharging", "control_module_voltage", "V", "warning", 15.5, 15.0,
        Said(
            "Supply voltage too high", "below 15.5 V",
            "Voltage regulators stay below about 15 V; more gasses the battery and harms electronics.",
            "Measure at the battery; suspect the voltage regulator or its sense wire.",
        ),
        after_s=5.0,
    ),
    Limit(
        "not_charging", "control_module_voltage", "V", "warning", 11.8, 12.4,
        Said(
            "Supply voltage too low with the engine running", "above 11.8 V",
            "A lead-acid battery at 11.8 V under load is nearly empty: the alternator does not feed the car.",
            "Check belt, alternator and its wiring; the engine will stop when the battery is empty.",
        ),
        after_s=10.0, only_running=True,
    ),
    *(
        Limit(
            f"fuel_trim_{way}", f"long_fuel_trim_{bank}", "%", "warning", at, back,
            Said(f"Long term fuel trim of bank {bank} at its limit", "-25 to 25 %", _TRIM, todo),
            after_s=30.0, clear_after_s=30.0,
        )
        for bank in (1, 2)
        for way, at, back, todo in (
            ("lean", 25.0, 20.0, "Look for unmetered air, weak fuel supply or a dirty air mass sensor."),
            ("rich", -25.0, -20.0, "Look for leaking injectors, high fuel pressure or purge vapour."),
        )
    ),
)  # fmt: skip
