"""Trouble codes: their form, their structure, their meaning with provenance."""

from vehicle.codes.errors import BadCodeError, BadSearchError
from vehicle.codes.lookup import lookup_code
from vehicle.codes.models import CodeAnswer, CodeHit, CodePage, CodeStructure
from vehicle.codes.search import search_codes
from vehicle.codes.structure import explain_structure

__all__ = [
    "BadCodeError",
    "BadSearchError",
    "CodeAnswer",
    "CodeHit",
    "CodePage",
    "CodeStructure",
    "explain_structure",
    "lookup_code",
    "search_codes",
]
