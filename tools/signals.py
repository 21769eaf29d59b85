"""Look at a session's readings: statistics with few points, or a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.answer import Answer, ArtifactRef
from tools.arguments import EndS, SessionId, SignalNames, StartS
from tools.context import ToolContext
from tools.registry import tool
from tools.session_table import check_signals, check_window, load_table
from tools.times import microseconds, seconds_of

if TYPE_CHECKING:
    from storage.records import Channel, Series


class SignalValues(BaseModel):
    """Statistics of one signal in the window, and real readings that keep its extremes."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    signal: str
    unit: str
    ecu: str | None
    readings: int
    mean: float | None
    minimum: float | None
    maximum: float | None
    first_s: float | None
    last_s: float | None
    times_s: list[float]
    values: list[float]


class SignalQuery(Answer):
    """Readings of a session, thinned to what can be read at a glance."""

    session_id: str
    signals: list[SignalValues]

    def say(self) -> str:
        """Say each signal's statistics in one line."""
        return "\n".join(_line(row) for row in self.signals)


class SignalPlot(Answer):
    """A plot as PNG, and what it shows in words."""

    session_id: str
    plot: ArtifactRef
    description: str

    def say(self) -> str:
        """Say what the plot shows."""
        return f"{self.description}\nPlot: {self.plot.artifact_id} ({self.plot.name})."

    def artifacts_to_show(self) -> list[ArtifactRef]:
        """Return the plot."""
        return [self.plot]


def _line(row: SignalValues) -> str:
    if not row.readings:
        return f"{row.signal}: no readings in this window."
    points = f" ({len(row.values)} points returned)" if row.values else ""
    return (
        f"{row.signal} [{row.unit}]: {row.readings:,} readings from {row.first_s:.1f} to {row.last_s:.1f} s, "
        f"mean {row.mean:.4g}, min {row.minimum:.4g}, max {row.maximum:.4g}{points}."
    )


@tool("sessions", "Read signals of a session")
def query_signals(
    context: ToolContext,
    session_id: SessionId,
    signals: SignalNames,
    start_s: StartS = None,
    end_s: EndS = None,
    points: Annotated[
        int, Field(ge=0, le=2000, description="Readings to return at most per signal; 0 for statistics only.")
    ] = 50,
) -> SignalQuery:
    """Return statistics (mean over readings) and at most `points` real readings per signal that keep its extremes.

    Never the raw series: for code over all readings use `run_python`, for a picture `plot_signals`.
    """
    check_window(start_s, end_s)
    channels = context.store.samples.channels(session_id)
    check_signals(channels, signals)
    window = microseconds(start_s), microseconds(end_s)
    summaries = {(c.signal, c.ecu): c for c in context.store.samples.summary(session_id, signals, *window)}
    thinned = context.store.samples.downsample(session_id, signals, *window, points) if points else []
    series = {(one.signal, one.ecu): one for one in thinned}
    wanted = [channel for channel in channels if channel.signal in signals]
    keys = [(channel.signal, channel.ecu) for channel in wanted]
    rows = [
        _values(channel, summaries.get(key), series.get(key))
        for channel, key in zip(wanted, keys, strict=True)
    ]
    return SignalQuery(session_id=session_id, signals=rows)


def _values(channel: Channel, summary: Channel | None, series: Series | None) -> SignalValues:
    """Join what a window holds of a channel; a window without readings is an answer too."""
    return SignalValues(
        signal=channel.signal,
        unit=channel.unit,
        ecu=channel.ecu,
        readings=summary.readings if summary else 0,
        mean=summary.mean if summary else None,
        minimum=summary.minimum if summary else None,
        maximum=summary.maximum if summary else None,
        first_s=seconds_of(summary.first_us) if summary else None,
        last_s=seconds_of(summary.last_us) if summary else None,
        times_s=(series.times_us / 1e6).tolist() if series else [],
        values=series.values.tolist() if series else [],
    )


@tool("sessions", "Plot signals of a session")
def plot_signals(
    context: ToolContext,
    session_id: SessionId,
    signals: SignalNames,
    start_s: StartS = None,
    end_s: EndS = None,
    title: Annotated[str | None, Field(max_length=120, description="Title above the plot.")] = None,
) -> SignalPlot:
    """Draw up to eight signals over time as a PNG, gaps left open, and say in words what it shows.

    The picture is kept with the session as an artifact.
    """
    from analysis.charts import plot_signals as draw

    table = load_table(context, session_id, signals, start_s, end_s)
    png, description = draw(table, signals, title=title or session_id)
    artifact = context.store.artifacts.save(
        session_id, "plot", f"{'-'.join(signals[:4])}.png", "image/png", png, {"signals": signals}
    )
    ref = ArtifactRef(
        artifact_id=artifact.id, name=artifact.name, mime=artifact.mime, size_bytes=artifact.size
    )
    return SignalPlot(session_id=session_id, plot=ref, description=description)
