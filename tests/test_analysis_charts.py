"""Charts: a picture that is right, and words that say what it shows."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from test_analysis_tables import series, table_of, trip

from analysis.charts import MOST_SIGNALS, plot_signals, thinned
from analysis.errors import MissingSignalError, NotEnoughDataError, UnknownChoiceError
from analysis.findings import Evidence, Finding
from analysis.table import SignalSeries, SignalTable
from analysis.tracks import track_of


def picture(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels - np.array(colour)).sum(axis=2) < 60


def finding_at(start: float, end: float) -> Finding:
    evidence = Evidence(signal="rpm", unit="rpm", statistic="x", value=1.0, start_s=start, end_s=end)
    return Finding(
        rule="x",
        title="Something",
        system="engine",
        severity="critical",
        confidence=0.5,
        evidence=[evidence],
        explanation="x",
        recommendation="x",
        source="x",
    )


@pytest.mark.parametrize("count", [1, 3, 7])
def test_every_signal_gets_a_panel_in_its_own_colour(count: int) -> None:
    table = trip(120)
    png, words = plot_signals(table, list(table)[:count], title="A drive")
    pixels = picture(png)
    assert pixels.shape[1] == 1200
    colours = [(31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189), (255, 127, 14), (23, 190, 207)]
    for colour in colours[:count]:
        assert near(pixels, colour).sum() > 100
    assert len(words.splitlines()) == count


def test_a_gap_is_not_bridged() -> None:
    times = np.concatenate([np.arange(0, 100.0), np.arange(200, 300.0)])
    png, words = plot_signals(table_of(times, rpm=np.full(200, 1000.0)), ["rpm"])
    drawn = near(picture(png), (31, 119, 180)).any(axis=0)
    middle = drawn[600:700]
    assert not middle.any()
    assert drawn[200:300].all()
    assert "1 gaps left open" in words


def test_thinning_keeps_every_spike() -> None:
    times = np.arange(100_000) / 10
    values = np.zeros(100_000)
    values[[12_345, 77_777]] = 50.0, -50.0
    drawn_times, drawn = thinned(track_of(series("rpm", times, values)))
    assert drawn_times.size < 5000
    assert np.nanmax(drawn) == 50
    assert np.nanmin(drawn) == -50
    assert drawn_times[np.nanargmax(drawn)] == 1234.5


def test_the_window_of_a_finding_is_shaded() -> None:
    table = trip(100)
    plain, _ = plot_signals(table, ["rpm"])
    shaded, words = plot_signals(table, ["rpm"], findings=[finding_at(40, 60)])
    changed = (picture(plain) != picture(shaded)).any(axis=(0, 2))
    columns = np.flatnonzero(changed)
    assert 480 < columns.min() < columns.max() < 780
    assert "Shaded: Something." in words


def test_the_words_name_extremes_with_units_and_times() -> None:
    _, words = plot_signals(table_of(np.arange(5.0), rpm=np.array([800, 900, 3000, 700, 850.0])), ["rpm"])
    assert "lowest 700 rpm at 3.0 s, highest 3000 rpm at 2.0 s" in words
    assert "mean" in words


def test_what_cannot_be_drawn_is_said() -> None:
    table = trip(60)
    with pytest.raises(MissingSignalError, match="oil_temp"):
        plot_signals(table, ["oil_temp"])
    with pytest.raises(UnknownChoiceError, match=f"1 to {MOST_SIGNALS}"):
        plot_signals(table, ["rpm"] * 9)
    with pytest.raises(NotEnoughDataError, match="between 500"):
        plot_signals(table, ["rpm"], start_s=500)


def test_a_long_name_is_broken_and_not_drawn_outside_its_panel() -> None:
    name = "x_fine_odometer_since_restart_of_the_engine"
    png, _ = plot_signals(table_of(np.arange(50.0), **{name: np.arange(50.0)}), [name])
    label = (picture(png)[:, :85] < 128).all(axis=2)
    rows = np.flatnonzero(label.any(axis=1))
    assert 20 < rows.min() < rows.max() < 350


def test_a_single_reading_and_a_constant_signal_can_be_drawn() -> None:
    table = SignalTable({"rpm": series("rpm", np.array([5.0]), np.array([800.0]))})
    png, words = plot_signals(table, ["rpm"])
    assert png.startswith(b"\x89PNG")
    assert "1 readings from 5.0 to 5.0 s" in words


@pytest.mark.parametrize("text", ["$\\frac{$", "a $5 and b $6", "発動機 \U00069cdf", "\x00\t\u0085", "2^_{"])
def test_any_text_can_be_a_title_a_name_or_a_unit(text: str) -> None:
    table = SignalTable({text: SignalSeries(text, text, np.arange(3.0), np.arange(3.0))})
    png, said = plot_signals(table, [text], title=text)
    assert picture(png).shape[1] == 1200
    assert text in said
