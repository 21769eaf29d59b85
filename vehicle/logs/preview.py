"""What a log file holds before it is imported: columns, what they become, times and warnings."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

How = Literal["matched", "guessed", "unknown", "ignored"]
Clock = Literal["utc", "local", "none"]
Timing = Literal["measured", "interpolated", "order"]


class ColumnMatch(BaseModel):
    """One column or channel of a log and what becomes of it."""

    source: str = Field(description="The name as the file has it, cleaned.")
    unit_found: str | None = Field(description="The unit as the file has it; null where it states none.")
    signal: str | None = Field(description="Our signal; x_… where none is known; null where not kept.")
    unit: str | None = Field(description="The unit the kept values are in.")
    how: How
    reason: str = ""


class LogPreview(BaseModel):
    """What an import of this file would do."""

    format: str
    columns: list[ColumnMatch]
    rows: int
    rows_estimated: bool = Field(description="True where only a part was read and the rest reckoned by size.")
    started_at: datetime | None = Field(description="UTC start; null where the file does not settle it.")
    local_start: datetime | None = Field(description="Start on the logging device's clock, zone unknown.")
    clock: Clock = Field(description="What the file's times refer to; none: no date or time of day at all.")
    timing: Timing = Field(description="measured; interpolated (see warnings); order: positions, not times.")
    duration_s: float | None
    warnings: list[str]
