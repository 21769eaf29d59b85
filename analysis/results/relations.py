"""How signals go together and where they drift, with intervals that allow for autocorrelation."""

from pydantic import Field

from analysis.results.model import Result


class Correlation(Result):
    """The correlation of two signals; `effective_samples` counts independent pairs, not readings."""

    first: str
    second: str
    r: float
    low: float
    high: float
    effective_samples: float
    samples: int
    p_value: float
    p_adjusted: float = Field(description="Benjamini-Hochberg over all pairs of the session")
    significant: bool


class Correlations(Result):
    """All pairs that carry enough independent samples, strongest first; the rest named with the reason."""

    method: str
    pairs: list[Correlation]
    refused: dict[str, str] = Field(description="pair or signal to the reason it has no number")


class Trend(Result):
    """The slope of a signal over the session, per hour, in the signal's unit."""

    signal: str
    unit: str
    slope_per_hour: float
    low: float
    high: float
    tau: float
    p_value: float
    p_adjusted: float
    blocks: int
    samples: int
    significant: bool


class Trends(Result):
    """Trends of all signals long enough to tell; the rest named with the reason."""

    method: str
    signals: list[Trend]
    refused: dict[str, str]
