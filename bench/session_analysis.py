"""How long a whole analysis of 720,000 readings takes, against the same questions asked of pandas."""

from time import perf_counter

import numpy as np

from analysis.charts import plot_signals
from analysis.session import PARTS, analyze
from analysis.table import SignalSeries, SignalTable

SIGNALS = 20
MOMENTS = 36_000
PLOTTED = 6


def synthetic(signals: int = SIGNALS, moments: int = MOMENTS) -> SignalTable:
    """An hour at 10 Hz: a drive in rpm, speed, pedal and manifold pressure, and slow noise for the rest."""
    rng = np.random.default_rng(7)
    times = np.arange(moments) * 0.1
    speed = np.clip(50 + 45 * np.sin(times / 90) + np.cumsum(rng.normal(0, 0.05, moments)), 0, None)
    rpm = np.where(speed < 1, 800, 800 + 28 * speed) + rng.normal(0, 12, moments)
    load = np.clip(30 + 40 * np.gradient(speed) + rng.normal(0, 2, moments), 0, 100)
    named = {
        "rpm": np.round(rpm * 4) / 4,
        "speed": np.round(speed),
        "engine_load": np.round(load * 255 / 100) * 100 / 255,
        "intake_pressure": np.round(25 + 0.75 * load),
        "accelerator_pos_d": np.round(np.clip(load * 0.8, 0, 100)),
        "coolant_temp": np.round(np.minimum(90, 20 + times / 5)),
        "maf": np.round(rpm / 800 * 3 * (0.4 + load / 60), 2),
        "control_module_voltage": 14.1 + rng.normal(0, 0.05, moments),
    }
    for number in range(len(named), signals):
        noise = np.cumsum(rng.normal(0, 1, moments))
        named[f"x_noise_{number}"] = np.round(noise - np.linspace(0, noise[-1], moments), 2)
    offset = rng.uniform(0, 0.09, len(named))
    return SignalTable(
        {
            name: SignalSeries(name, "", times + offset[k], values)
            for k, (name, values) in enumerate(named.items())
        }
    )


def with_pandas(table: SignalTable, signals: list[str]) -> bytes:
    """The usual way: pivot to a frame, describe, correlate, savefig."""
    from io import BytesIO

    import pandas as pd
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    long = pd.concat(
        [pd.DataFrame({"t": s.times_s, "signal": n, "value": s.values}) for n, s in table.items()]
    )
    frame = long.assign(t=(long.t / 0.1).round() * 0.1).pivot_table(
        index="t", columns="signal", values="value"
    )
    frame = frame.ffill()
    frame.describe()
    frame.corr()
    figure = Figure(figsize=(12, 9))
    FigureCanvasAgg(figure)
    for place, name in enumerate(signals):
        figure.add_subplot(len(signals), 1, place + 1).plot(frame.index, frame[name])
    out = BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def best_ms(work: object, rounds: int = 5) -> float:
    """Best wall time of several rounds in milliseconds; the first, cold one is not counted."""
    assert callable(work)
    work()
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return 1000 * min(taken)


def main() -> None:
    """Print the table."""
    table = synthetic()
    shown = list(table)[:PLOTTED]
    whole = best_ms(lambda: (analyze(table), plot_signals(table, shown)))
    usual = best_ms(lambda: with_pandas(table, shown), rounds=2)
    print(f"{table.readings} readings, {len(table)} signals, {PLOTTED} plotted")
    for part in PARTS:
        print(f"  analyze, {part:14} {best_ms(lambda part=part: analyze(table, parts=[part])):7.1f} ms")
    print(f"  plot_signals            {best_ms(lambda: plot_signals(table, shown)):7.1f} ms")
    print(f"  analyze and plot        {whole:7.1f} ms")
    print(f"  pandas, describe, corr, savefig {usual:7.1f} ms: {usual / whole:.1f} times as long for less")


if __name__ == "__main__":
    main()
