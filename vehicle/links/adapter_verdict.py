"""Is this ELM327 what it says? Pure rules over what it answered, each with its source."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vehicle.links.adapter_models import AdapterEvidence, AdapterIdentity, BatchTry, CommandTry, Verdict

PUBLISHED = (
    "1.0",
    "1.0a",
    "1.1",
    "1.2",
    "1.2a",
    "1.3",
    "1.3a",
    "1.4",
    "1.4b",
    "2.0",
    "2.1",
    "2.2",
    "2.3",
)
VERSIONS_SOURCE = "Elm Electronics, AT Commands by Version and data sheets v1.0 to v2.3"
_MULTI_SOURCE = (
    "ELM327 data sheet: up to 6 parameters in one CAN request; FORScan forum, Known problems with China clones: "
    "firmware that sends at most 2 bytes"
)
_STN_SOURCE = "OBD Solutions, STN11xx reference: STI names the chip; these chips say ELM327 v1.3a or v1.4b"
_VERSION = re.compile(r"ELM\s?327\s*v?\s*(\d+\.\d+[a-z]?)", re.IGNORECASE)
_STN_VERSIONS = ("1.2a", "1.3a", "1.4b")


def version_in(name: str) -> str | None:
    """Return the ELM327 version a name claims, None where it claims none."""
    found = _VERSION.search(name)
    return found[1].lower() if found else None


def judge(
    identity: AdapterIdentity, commands: Sequence[CommandTry], batches: Sequence[BatchTry]
) -> tuple[Verdict, list[AdapterEvidence]]:
    """Return the verdict and what it rests on.

    Clone-looking: anything speaks against. Genuine-looking: nothing does, the claimed version's commands are known,
    and several parameters at once work, which clones get wrong most. Else it cannot be told.
    """
    evidence = [*_of_version(identity), *_of_commands(identity, commands), *_of_batches(batches)]
    spoken = [piece.speaks for piece in evidence]
    if "against" in spoken:
        return "clone-looking", evidence
    named = identity.stn or identity.version in PUBLISHED
    if named and any(one.worked and one.size > 1 for one in batches) and spoken.count("for") >= 2:
        return "genuine-looking", evidence
    return "cannot tell", evidence


def _of_version(identity: AdapterIdentity) -> list[AdapterEvidence]:
    found = []
    version = identity.version
    if version is None:
        found.append(
            _piece("for neither", f"it names itself {identity.name!r}, no ELM327 version", VERSIONS_SOURCE)
        )
    elif version not in PUBLISHED:
        what = f"it claims ELM327 v{version}, which Elm Electronics never published"
        found.append(_piece("against", what, VERSIONS_SOURCE))
    if identity.stn and version is not None and version not in _STN_VERSIONS:
        what = f"it answers STI with {identity.stn} and ATI with v{version}, which STN chips do not"
        found.append(_piece("against", what, _STN_SOURCE))
    elif identity.stn:
        found.append(_piece("for", f"it is an STN chip by its own word: {identity.stn}", _STN_SOURCE))
    return found


def _of_commands(identity: AdapterIdentity, commands: Sequence[CommandTry]) -> list[AdapterEvidence]:
    if identity.version not in PUBLISHED:
        return []
    claimed = PUBLISHED.index(identity.version)
    due = [one for one in commands if PUBLISHED.index(one.since) <= claimed and one.known is not None]
    later = [one for one in commands if PUBLISHED.index(one.since) > claimed and one.known]
    unknown = [one for one in due if not one.known]
    found = []
    if unknown:
        what = f"it claims v{identity.version} and does not know {_listed(unknown)}"
        found.append(_piece("against", what, VERSIONS_SOURCE))
    elif due:
        found.append(
            _piece("for", f"it knows what v{identity.version} must know: {_listed(due)}", VERSIONS_SOURCE)
        )
    if later and not identity.stn:
        what = f"it claims v{identity.version} and knows what came later: {_listed(later)}"
        found.append(_piece("against", what, VERSIONS_SOURCE))
    return found


def _of_batches(batches: Sequence[BatchTry]) -> list[AdapterEvidence]:
    several = [one for one in batches if one.size > 1]
    if not several or not any(one.worked for one in batches):
        return []
    found = []
    for one in several:
        if not one.worked:
            how = f"hangs for {one.waited_s:.1f} s" if one.hung else f"fails ({one.reason})"
            what = f"one parameter is answered, {one.size} in one request {how}"
            found.append(_piece("against", what, _MULTI_SOURCE))
    best = max((one.size for one in several if one.worked), default=0)
    if best == max(one.size for one in several):
        found.append(_piece("for", f"{best} parameters in one request are answered", _MULTI_SOURCE))
    return found


def _listed(tries: Sequence[CommandTry]) -> str:
    return ", ".join(f"{one.command} (v{one.since})" for one in tries)


def _piece(speaks: str, what: str, source: str) -> AdapterEvidence:
    return AdapterEvidence.model_validate({"speaks": speaks, "what": what, "source": source})
