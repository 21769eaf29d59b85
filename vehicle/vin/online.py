"""Asks the NHTSA vPIC service about a VIN, and answers offline where it does not answer."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vehicle.vin.decode import decode_vin, overlay
from vehicle.vin.errors import VinServiceError
from vehicle.vin.models import ModelYear, Source, VinAnswer, VinField
from vehicle.vin.vpic_fields import FIELDS

if TYPE_CHECKING:
    import httpx

SERVICE = "NHTSA vPIC service"
LICENCE = "public domain (work of the US government)"
URL = "https://vpic.nhtsa.dot.gov/api/vehicles/DecodeVinValues/{vin}?format=json"

Fetch = Callable[[str], str]
Cache = Callable[[str, Callable[[], str]], str]

_LARGEST_ANSWER = 1_000_000  # bytes; an answer for one VIN has about 5 kB


def http_fetch(timeout_s: float = 8.0, transport: "httpx.BaseTransport | None" = None) -> Fetch:
    """Return a function that gets the text at a URL, or raises VinServiceError within `timeout_s`."""

    def fetch(url: str) -> str:
        import httpx

        try:
            with httpx.Client(timeout=timeout_s, transport=transport) as client:
                answer = client.get(url).raise_for_status()
        except httpx.TimeoutException as error:
            raise VinServiceError(f"the {SERVICE} did not answer within {timeout_s:g} s") from error
        except httpx.HTTPStatusError as error:
            raise VinServiceError(f"the {SERVICE} answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise VinServiceError(f"the {SERVICE} cannot be reached") from error
        if len(answer.content) > _LARGEST_ANSWER:
            raise VinServiceError(f"the {SERVICE} sent {len(answer.content)} bytes for one VIN")
        return answer.text

    return fetch


def decode_vin_online(
    vin: str,
    *,
    fetch: Fetch | None = None,
    cache: Cache | None = None,
    vpic_path: Path | None = None,
    this_year: int | None = None,
) -> VinAnswer:
    """Decode a VIN offline and put the facts of the vPIC service over it; the whole VIN is sent there.

    `cache(key, produce)` returns the text stored under a key, or calls `produce` and stores what it returns.
    Where the service fails, the offline answer stands and the failure is among the sources.
    Raises BadVinError for text that is not a VIN.
    """
    offline = decode_vin(vin, vpic_path=vpic_path, this_year=this_year)
    url = URL.format(vin=offline.vin)
    if offline.model_year.value:
        url += f"&modelyear={offline.model_year.value}"
    ask = fetch or http_fetch()

    def produce() -> str:
        text = ask(url)
        _row(text, offline.vin)  # only an answer that can be read is worth keeping
        return text

    try:
        row = _row(cache(url, produce) if cache else produce(), offline.vin)
    except (VinServiceError, OSError) as error:
        failed = Source(name=SERVICE, licence=LICENCE, outcome=f"failed: {error}; the offline answer stands")
        return offline.model_copy(update={"sources": [*offline.sources, failed]})
    return _with_service(offline, row)


def _row(text: str, vin: str) -> dict[str, str]:
    """Return the one result of a DecodeVinValues answer, empty values left out."""
    try:
        results = json.loads(text)["Results"]
        row = {str(name): str(value).strip() for name, value in results[0].items() if value not in (None, "")}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise VinServiceError(f"the {SERVICE} sent something that is not a decoded VIN") from error
    if row.get("VIN", vin).upper() != vin:
        raise VinServiceError(f"the {SERVICE} answered for another VIN")
    return row


def _with_service(offline: VinAnswer, row: Mapping[str, str]) -> VinAnswer:
    fields = {
        name: VinField(value=row[code], source=SERVICE)
        for code, (name, _) in FIELDS.items()
        if row.get(code) not in (None, "Not Applicable")
    }
    outcome = _outcome(row)
    answer = overlay(
        offline,
        fields,
        Source(name=SERVICE, licence=LICENCE, outcome=outcome),
        _year_by_service(offline.model_year, row),
        "neither offline nor at the vPIC service",
    )
    stated, own = row.get("ModelYear"), offline.model_year.value
    if own is None or stated is None or stated == str(own):
        return answer
    note = f"the {SERVICE} says model year {stated}, the VIN itself says {own}"
    return answer.model_copy(update={"notes": [*answer.notes, note]})


def _outcome(row: Mapping[str, str]) -> str:
    if row.get("ErrorCode", "0") == "0":
        return "decoded"
    return f"decoded with remarks: {row.get('ErrorText', row['ErrorCode'])[:300]}"


def _year_by_service(year: ModelYear, row: Mapping[str, str]) -> ModelYear | None:
    stated = row.get("ModelYear", "")
    if year.value is not None or not stated.isdigit():
        return None
    return ModelYear(value=int(stated), candidates=[int(stated)], method=SERVICE)
