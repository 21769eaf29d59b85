"""Draws signals over time as PNG, and says in words what the picture shows."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.findings import Finding
from analysis.table import Floats, SignalTable
from analysis.tracks import Gap, Track, track_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SIGNALS = 8
_BINS = 1000
_DPI = 100
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
_SHADES = {"critical": "#d62728", "warning": "#ff9800", "advice": "#ffd54f", "info": "#bbdefb"}


def plot_signals(
    table: SignalTable,
    signals: Sequence[str],
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    findings: Sequence[Finding] = (),
    gaps: Sequence[Gap] = (),
    title: str = "",
    width_px: int = 1200,
) -> tuple[bytes, str]:
    """Draw one to eight signals over time, one panel each; return the PNG and a description of it.

    Gaps stay open, long series are drawn by the minimum and maximum of each stretch, so that no spike is lost.
    The windows of `findings` are shaded. Raises MissingSignalError, NotEnoughDataError, UnknownChoiceError.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tracks = _tracks(table, signals, start_s, end_s, gaps)
    height_px = 110 + (300 if len(tracks) == 1 else 140) * len(tracks)
    figure = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    span = min(t.times_s[0] for t in tracks.values()), max(t.times_s[-1] for t in tracks.values())
    _draw(figure, tracks, (float(span[0]), float(span[1])), findings, title)
    canvas.draw()
    return _png(canvas), describe(tracks, findings)


def _tracks(
    table: SignalTable,
    signals: Sequence[str],
    start_s: float | None,
    end_s: float | None,
    gaps: Sequence[Gap],
) -> dict[str, Track]:
    """Return the tracks to draw, in the order asked for."""
    if not 1 <= len(signals) <= MOST_SIGNALS:
        raise UnknownChoiceError(
            f"A plot shows 1 to {MOST_SIGNALS} signals; {len(signals)} were asked for.",
            "Name the signals that matter, or make several plots.",
        )
    tracks = {
        n: track_of(table.require(n, "The plot").between(start_s, end_s), gaps)
        for n in dict.fromkeys(signals)
    }
    empty = [name for name, track in tracks.items() if not len(track)]
    if empty:
        raise NotEnoughDataError(
            f"No readings of {', '.join(empty)} between {start_s} s and {end_s} s.",
            f"The session's readings span {table.span_s[0]:.1f} to {table.span_s[1]:.1f} s.",
        )
    return tracks


def _draw(
    figure: "Figure",
    tracks: dict[str, Track],
    span: tuple[float, float],
    findings: Sequence[Finding],
    title: str,
) -> None:
    """Lay the panels out one above the other and draw each."""
    height = figure.get_size_inches()[1] * _DPI
    bottom, top, space = 55 / height, 1 - (40 if title else 18) / height, 14 / height
    tall = (top - bottom + space) / len(tracks)
    scale, unit = _time_scale(span[1] - span[0])
    for place, (name, track) in enumerate(tracks.items()):
        axes = figure.add_axes((0.085, top - (place + 1) * tall + space, 0.895, tall - space))
        times_s, values = thinned(track)
        marker = "." if len(track) < 60 else ""
        axes.plot(times_s / scale, values, color=_COLOURS[place], linewidth=0.9, marker=marker, markersize=4)
        _shade(axes, name, findings, scale)
        places = _label(axes, name, track, (span[0] / scale, span[1] / scale))
        if place == len(tracks) - 1:
            axes.set_xticks(places)
            axes.set_xlabel(f"time since session start ({unit})", fontsize=9)
        else:
            axes.xaxis.set_visible(False)
    if title:
        figure.suptitle(_drawable(title), fontsize=11, y=1 - 8 / height, va="top", parse_math=False)


def _drawable(text: str) -> str:
    """Return a text with a box for every character that the font has not: names come from people and from logs."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    return "".join(char if char == "\n" or font.get_char_index(ord(char)) else "\u25a1" for char in text)


def _time_scale(span_s: float) -> tuple[float, str]:
    """Return what to divide seconds by, and the unit then."""
    if span_s > 3 * 3600:
        return 3600.0, "h"
    return (60.0, "min") if span_s > 300 else (1.0, "s")


def _label(axes: "Axes", name: str, track: Track, span: tuple[float, float]) -> Floats:
    """Label a panel, and return where its vertical lines are."""
    from matplotlib.ticker import MaxNLocator

    label = f"{_wrapped(name)}\n({track.unit})" if track.unit else _wrapped(name)
    axes.set_ylabel(_drawable(label), fontsize=8, parse_math=False)
    axes.tick_params(labelsize=8, length=3)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(visible=True, axis="y", color="#dddddd", linewidth=0.5)
    pad = 0.01 * (span[1] - span[0]) or 0.5
    axes.set_xlim(span[0] - pad, span[1] + pad)
    # One collection for all vertical lines: ticks of every panel would take half of the drawing time.
    places = np.asarray(MaxNLocator(10).tick_values(*span))
    places = places[(places >= span[0]) & (places <= span[1])]
    axes.vlines(
        places, 0, 1, transform=axes.get_xaxis_transform(), color="#dddddd", linewidth=0.5, zorder=0.5
    )
    axes.yaxis.set_label_coords(-0.055, 0.5)
    return places


def _wrapped(name: str, longest: int = 24) -> str:
    """Break a long signal name at an underscore, so that the panels' labels do not run into each other."""
    if len(name) <= longest:
        return name
    cut = name.rfind("_", 0, longest) + 1 or longest
    return f"{name[:cut]}\n{_wrapped(name[cut:], longest)}"


def _shade(axes: "Axes", name: str, findings: Sequence[Finding], scale: float) -> None:
    """Shade the windows of the evidence that concerns this signal."""
    for finding in findings:
        for evidence in finding.evidence:
            if (
                evidence.signal in (name, "all")
                and evidence.start_s is not None
                and evidence.end_s is not None
            ):
                colour = _SHADES[finding.severity]
                axes.axvspan(evidence.start_s / scale, evidence.end_s / scale, color=colour, alpha=0.35, lw=0)


def thinned(track: Track, bins: int = _BINS) -> tuple[Floats, Floats]:
    """Return times and values to draw: minimum and maximum of each stretch, and NaN where gaps are."""
    times_s, values = track.times_s, track.values
    if len(track) > 4 * bins:
        chosen = _extremes(times_s, values, bins)
        edges = np.concatenate(
            ([0], np.flatnonzero(track.gaps), np.flatnonzero(track.gaps) + 1, [len(track) - 1])
        )
        chosen = np.unique(np.concatenate((chosen, edges)))
        breaks = np.flatnonzero(np.isin(chosen[:-1], np.flatnonzero(track.gaps))) + 1
        times_s, values = times_s[chosen], values[chosen]
    else:
        breaks = np.flatnonzero(track.gaps) + 1
    return np.insert(times_s, breaks, times_s[breaks]), np.insert(values, breaks, np.nan)


def _extremes(times_s: Floats, values: Floats, bins: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return the places of the smallest and largest value within each of `bins` equal stretches of time."""
    edges = np.searchsorted(times_s, np.linspace(times_s[0], times_s[-1], bins + 1)[:-1])
    edges = np.unique(edges)
    which = np.repeat(np.arange(edges.size), np.diff(np.append(edges, values.size)))
    low, high = np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges)
    lowest, highest = np.flatnonzero(values == low[which]), np.flatnonzero(values == high[which])
    _, first_low = np.unique(which[lowest], return_index=True)
    _, first_high = np.unique(which[highest], return_index=True)
    return np.concatenate((lowest[first_low], highest[first_high]))


def _png(canvas: Any) -> bytes:
    """Encode what the canvas has drawn; savefig would draw it a second time."""
    from PIL import Image

    size = canvas.get_width_height()
    picture = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    out = BytesIO()
    picture.convert("RGB").save(out, format="PNG", compress_level=1)
    return out.getvalue()


def describe(tracks: dict[str, Track], findings: Sequence[Finding] = ()) -> str:
    """Say in words what a plot of these tracks shows."""
    lines = []
    for name, track in tracks.items():
        low, high = int(np.argmin(track.values)), int(np.argmax(track.values))
        gaps = int(track.gaps.sum())
        lines.append(
            f"{name}: {len(track)} readings from {track.times_s[0]:.1f} to {track.times_s[-1]:.1f} s, "
            f"lowest {track.values[low]:.4g} {track.unit} at {track.times_s[low]:.1f} s, "
            f"highest {track.values[high]:.4g} {track.unit} at {track.times_s[high]:.1f} s, "
            f"mean {np.average(track.values):.4g}, first {track.values[0]:.4g}, last {track.values[-1]:.4g}"
            + (f", {gaps} gaps left open." if gaps else ".")
        )
    lines += [f"Shaded: {finding.title}." for finding in findings if finding.evidence]
    return "\n".join(lines)
