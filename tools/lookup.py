"""Look up what a VIN and a trouble code say."""

from typing import Annotated

from pydantic import Field

from tools.answer import Answer
from tools.arguments import Offset
from tools.context import ToolContext
from tools.file_cache import FileCache
from tools.registry import tool
from vehicle.codes.models import CodeAnswer, CodePage
from vehicle.vin.models import ModelYear, VinAnswer


class TroubleCode(CodeAnswer, Answer):
    """What a trouble code means, with provenance."""

    def say(self) -> str:
        """Say the meaning, or why it is not known, and what to do next."""
        lines = [
            f"{self.code}: {self._meaning()}",
            f"Severity: {self.severity.value} ({self.severity.reason}).",
        ]
        if self.causes:
            causes = "; ".join(cause.text for cause in self.causes[:6])
            lines.append(f"Likely causes of such a code in general, not of this car: {causes}.")
        if self.tests:
            lines.append("Tests: " + "; ".join(step.text for step in self.tests[:4]) + ".")
        return "\n".join(lines + self.notes)

    def _meaning(self) -> str:
        if self.meaning is None:
            return self.reason or "unknown"
        note = f"; {self.meaning.note}" if self.meaning.note else ""
        return f"{self.meaning.text} [{self.meaning.source}, {self.meaning.check}{note}]"


class TroubleCodes(CodePage, Answer):
    """Trouble codes found by text."""

    def say(self) -> str:
        """Say the page, one code a line."""
        lines = [f"{len(self.hits)} of {self.total} codes for {self.text!r}"]
        lines += [f"Read {wrong!r} as {right!r}." for wrong, right in self.corrected.items()]
        lines += [f"Not looked for: {', '.join(self.ignored)}."] if self.ignored else []
        return "\n".join(
            lines + [f"{hit.code}  {hit.title}  [{hit.severity}]" for hit in self.hits] + self.notes
        )


class Vin(VinAnswer, Answer):
    """What a VIN says, each field with its source."""

    def say(self) -> str:
        """Say the VIN in a few lines: what is known with its source, what is not."""
        year = self.model_year
        known = {"country": self.country, "region": self.region, **self.fields}
        told = [f"{name} {field.value} [{field.source}]" for name, field in known.items() if field.value]
        missing = [name for name, field in known.items() if not field.value]
        lines = [
            f"{self.vin}: check digit {self.check_digit.verdict}",
            f"Model year: {_year(year)} ({year.method}).",
            "; ".join(told) + ".",
        ]
        return "\n".join(lines + ([f"Not known: {', '.join(missing)}."] if missing else []) + self.notes)


def _year(year: ModelYear) -> str:
    if year.value is not None:
        return str(year.value)
    candidates = " or ".join(str(candidate) for candidate in year.candidates)
    return "; ".join(part for part in (candidates, year.reason) if part)


@tool("lookup", "Decode a VIN", open_world=True)
def decode_vin(
    context: ToolContext,
    vin: Annotated[
        str, Field(max_length=64, description="VIN of 17 characters; spaces and lower case are fine.")
    ],
    online: Annotated[
        bool, Field(description="Also ask NHTSA's vPIC service; this sends it the whole VIN.")
    ] = False,
) -> Vin:
    """Decode a VIN: check digit, model year, region, country, maker and plant, each with its source.

    Works offline; a field that no table knows is absent, with the reason. Model and engine need the full vPIC table
    (`obd-agent data install vpic`) or `online`, which falls back to the offline answer where nothing can be reached.
    """
    from vehicle.vin.decode import decode_vin as decode
    from vehicle.vin.install import vpic_table_path
    from vehicle.vin.online import decode_vin_online

    home = context.workshop.home
    table = vpic_table_path(home)
    known = table if table.exists() else None
    if not online:
        return Vin.of(decode(vin, vpic_path=known))
    return Vin.of(decode_vin_online(vin, cache=FileCache(home / "vpic" / "answers"), vpic_path=known))


@tool("lookup", "Look up a trouble code")
def lookup_trouble_code(
    context: ToolContext,
    code: Annotated[str, Field(max_length=32, description="Trouble code such as P0171, U0100 or P0171-1A.")],
    make: Annotated[
        str | None, Field(max_length=100, description="Maker, for manufacturer-specific codes.")
    ] = None,
) -> TroubleCode:
    """Say what a trouble code means with its provenance (SAE, manufacturer or unknown), severity, causes and tests.

    Manufacturer-specific codes are answered as unknown, never guessed. Next: `analyze_session` for evidence.
    """
    from vehicle.codes.lookup import lookup_code

    return TroubleCode.of(lookup_code(code, make))


@tool("lookup", "Search trouble codes by text")
def search_trouble_codes(
    context: ToolContext,
    text: Annotated[str, Field(min_length=1, max_length=200, description="Words such as 'catalyst bank 1'.")],
    limit: Annotated[int, Field(ge=1, le=100, description="Codes to return at most.")] = 20,
    offset: Offset = 0,
) -> TroubleCodes:
    """Find SAE trouble codes whose meaning contains words; tolerant of typos. Next: `lookup_trouble_code`."""
    from vehicle.codes.search import search_codes

    return TroubleCodes.of(search_codes(text, limit=limit, offset=offset))
