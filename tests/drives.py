"""Drives for tests of analysis: simulated ones and real recordings, as signal tables."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recordings import recording

from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import UNITS, SimulatorOptions, drive
from vehicle.simulator.model import STEP_S, Model

Floats = NDArray[np.float64]

_AS_IN_THE_SIGNAL_TABLE = {
    "o2_s1_wr_lambda": "o2_s1_wr_current_lambda",
    "engine_fuel_rate": "engine_fuel_rate_mass",
    "vehicle_fuel_rate": "vehicle_fuel_rate_mass",
}


def table_of(signals: dict[str, tuple[str, Floats, Floats]]) -> SignalTable:
    """Make a table from `{signal: (unit, times_s, values)}`."""
    return SignalTable({name: SignalSeries(name, *series) for name, series in signals.items()})


@cache
def simulated(duration_s: float, hz: float = 2.0, **options: Any) -> SignalTable:
    """Drive the simulated car and return what a logger would have read."""
    driven = drive(duration_s, hz, options=SimulatorOptions(**options))
    named = {
        _AS_IN_THE_SIGNAL_TABLE.get(name, name): (UNITS[name], *series) for name, series in driven.items()
    }
    return table_of(named)


@cache
def truth(duration_s: float, **options: Any) -> dict[str, float]:
    """Return what the simulated car really used and drove."""
    model = Model(SimulatorOptions(**options))
    idle_l = 0.0
    for _ in range(round(duration_s / STEP_S)):
        before = model.state.fuel_used_l
        model.step()
        if model.state.running and model.state.speed_kmh < 1.0:
            idle_l += model.state.fuel_used_l - before
    return {"fuel_l": model.state.fuel_used_l, "km": model.state.distance_km, "idle_l": idle_l}


def only(table: SignalTable, *names: str) -> SignalTable:
    """Keep some signals of a table."""
    return SignalTable({name: table[name] for name in names})


def without(table: SignalTable, *names: str) -> SignalTable:
    """Leave some signals out of a table."""
    return SignalTable({name: series for name, series in table.items() if name not in names})


def changed(table: SignalTable, name: str, values: Floats) -> SignalTable:
    """Return the table with other values for one signal."""
    old = table[name]
    return SignalTable({**table, name: SignalSeries(name, old.unit, old.times_s, values, old.low, old.high)})


def shifted(table: SignalTable, by_s: float) -> SignalTable:
    """Return the table as if the session's clock had begun elsewhere."""
    return SignalTable(
        {n: SignalSeries(n, s.unit, s.times_s + by_s, s.values, s.low, s.high) for n, s in table.items()}
    )


def _numbers(cells: list[str]) -> list[float]:
    return [float(cell) if cell.strip() else np.nan for cell in cells]


_ETIOS = (
    "run_time s,rpm rpm,speed km/h,throttle_pos %,engine_load %,coolant_temp °C,long_fuel_trim_1 %,"
    "short_fuel_trim_1 %,intake_pressure kPa,fuel_level %,throttle_pos_b %,accelerator_pos_d %,"
    "accelerator_pos_e %,throttle_actuator %,commanded_equiv_ratio ratio,barometric_pressure kPa,"
    "relative_throttle_pos %,intake_temp °C,timing_advance °,catalyst_temp_b1s1 °C,catalyst_temp_b1s2 °C,"
    "control_module_voltage V,evaporative_purge %,run_time_mil min,time_since_dtc_cleared min,"
    "distance_w_mil km,warmups_since_dtc_clear count"
)
_ETIOS_ROWS_PER_S = 2.03
ETIOS_DRIVES = ("drive5", "drive7", "live12", "live16", "live6", "long6", "ufpe3")
ETIOS_IDLES = ("idle8", "idle17")


@cache
def etios(name: str) -> SignalTable:
    """Read a drive of the Toyota Etios (petrol, 1.496 L, no air mass sensor); its rows come at 2.03 Hz."""
    lines = recording(f"carobd_toyota_etios/{name}.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",")[:27] for line in lines]
    values = np.array([_numbers(row) for row in rows if len(row) == len(rows[0])])
    times_s = np.arange(len(values)) / _ETIOS_ROWS_PER_S
    columns = [tuple(column.rsplit(" ", 1)) for column in _ETIOS.split(",")][: values.shape[1]]
    return table_of(
        {
            signal: (
                unit,
                times_s[np.isfinite(values[:, place])],
                values[np.isfinite(values[:, place]), place],
            )
            for place, (signal, unit) in enumerate(columns)
        }
    )


_LEON = (
    "coolant_temp °C,intake_pressure kPa,rpm rpm,speed km/h,intake_temp °C,maf g/s,throttle_pos %,"
    "ambiant_air_temp °C,accelerator_pos_d %,accelerator_pos_e %"
)
LEON_DRIVES = (
    "2017-07-10_Seat_Leon_KA_KA_Stau",
    "2017-07-14_Seat_Leon_KA_KA_Frei",
    "2017-07-26_Seat_Leon_S_KA_Normal",
    "2017-07-27_Seat_Leon_KA_KA_Normal",
    "2018-02-23_Seat_Leon_RT_RT_Frei_Beschleunigung",
    "2018-02-26_Seat_Leon_RT_RT_Frei",
)


@cache
def leon(name: str) -> SignalTable:
    """Read a drive of the Seat Leon diesel: one signal is new in each row, the others repeat."""
    lines = recording(f"kit_seat_leon_diesel/{name}.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines if line.count(",") == 10]
    clock = np.array([[float(part) for part in row[0].split(":")] @ np.array([3600, 60, 1]) for row in rows])
    values = np.array([_numbers(row[1:]) for row in rows])
    columns = [tuple(column.rsplit(" ", 1)) for column in _LEON.split(",")]
    series = {}
    for place, (signal, unit) in enumerate(columns):
        fresh = slice(place, None, len(columns))
        known = np.isfinite(values[fresh, place])
        series[signal] = (unit, (clock - clock[0])[fresh][known], values[fresh, place][known])
    return table_of(series)
