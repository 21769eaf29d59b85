"""What is done after the code has ended: figures left open are saved, output is flushed."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES = 8
_PIXELS = 4000  # the longer side of a saved figure
_THUMBNAIL = 320
_SVG_POINTS = 50_000  # a drawing of more points is larger than its picture


def save_figures() -> list[str]:
    """Save every open figure as PNG, SVG and thumbnail, close it, and return what had to be left out."""
    import matplotlib.pyplot as plt

    notes = []
    numbers = plt.get_fignums()
    for place, number in enumerate(numbers[:_FIGURES], 1):
        try:
            notes += _save(plt.figure(number), _free_stem(place))
        except Exception as error:  # a figure that cannot be drawn must not cost the run its result
            notes.append(f"figure {number} could not be saved: {type(error).__name__}: {error}"[:300])
    if len(numbers) > _FIGURES:
        notes.append(f"{len(numbers) - _FIGURES} more figures were open; the first {_FIGURES} are saved")
    plt.close("all")
    return notes


def _save(figure: "Figure", stem: str) -> list[str]:
    from PIL import Image

    dpi = min(figure.dpi, _PIXELS / max(figure.get_size_inches()))
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    Path(f"{stem}.png").write_bytes(picture.getvalue())
    with Image.open(picture) as image:
        image.thumbnail((_THUMBNAIL, _THUMBNAIL))
        image.save(f"{stem}.thumb.png")
    if _points(figure) > _SVG_POINTS:
        return [f"{stem}: too many points for an SVG; the PNG is there"]
    figure.savefig(f"{stem}.svg", format="svg")
    return []


def _points(figure: "Figure") -> int:
    artists: list[Any] = [artist for axes in figure.axes for artist in axes.get_children()]
    lines = sum(len(artist.get_xdata()) for artist in artists if hasattr(artist, "get_xdata"))
    clouds = sum(len(artist.get_offsets()) for artist in artists if hasattr(artist, "get_offsets"))
    return lines + clouds


def _free_stem(number: int) -> str:
    stem = f"figure_{number}"
    while Path(f"{stem}.png").exists() or Path(f"{stem}.svg").exists():
        stem += "_"
    return stem


def flush() -> None:
    """Write out what print has buffered."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # closed, or replaced, by the code
