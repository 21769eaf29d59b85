"""Our own rules for severity, causes and tests: generic, and unknown where no rule speaks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

from vehicle.codes.models import Cause, Severity, SeverityVerdict, Step
from vehicle.codes.tables import rows

SOURCE = "obd-agent rules"
LICENCE = "MIT"

_LONGEST = 8  # causes and tests given at most


@dataclass(frozen=True, slots=True)
class Judgement:
    """What our rules say of one code."""

    severity: SeverityVerdict
    causes: list[Cause]
    tests: list[Step]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is true of a family of codes; `words` must also be in the title where given."""

    name: str
    ranges: tuple[range, ...]
    words: re.Pattern[str] | None
    severity: Severity
    reason: str
    causes: tuple[str, ...]
    tests: tuple[str, ...]

    def width(self, number: int, title: str) -> int | None:
        """Return the size of the range that holds a code, or None where the rule does not speak."""
        if self.words is not None and not self.words.search(title):
            return None
        return min((len(codes) for codes in self.ranges if number in codes), default=None)


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a wording such as "circuit low" says about any part."""

    name: str
    phrases: tuple[str, ...]
    causes: tuple[str, ...]
    tests: tuple[str, ...]


def judge(code: str, title: str | None) -> Judgement:
    """Judge one code by our rules; `title` is its meaning, and without one nothing is known."""
    if title is None:
        return Judgement(_unknown("the meaning of this code is not known"), [], [])
    words = title.lower()
    rule = _narrowest(code, words)
    conditions = [c for c in _conditions() if any(phrase in words for phrase in c.phrases)]
    told: list[_Rule | _Condition] = [rule, *conditions] if rule else [*conditions]
    verdict = _verdict(rule) if rule else _unknown("no rule covers this code")
    return Judgement(verdict, _causes(told), _tests(told))


def severity_of(code: str, title: str) -> Severity:
    """Return only how urgent codes of this kind usually are."""
    rule = _narrowest(code, title.lower())
    return rule.severity if rule else "unknown"


def _narrowest(code: str, title: str) -> _Rule | None:
    number = _number(code)
    speaking = [(width, rule) for rule in _rules() if (width := rule.width(number, title)) is not None]
    return min(speaking, key=lambda pair: pair[0])[1] if speaking else None


def _verdict(rule: _Rule) -> SeverityVerdict:
    return SeverityVerdict(value=rule.severity, reason=rule.reason, rule=rule.name, source=SOURCE)


def _unknown(reason: str) -> SeverityVerdict:
    return SeverityVerdict(value="unknown", reason=reason, rule=None, source=SOURCE)


def _causes(told: Iterable[_Rule | _Condition]) -> list[Cause]:
    texts = dict.fromkeys(text for each in told for text in each.causes)
    return [
        Cause(text=text, likelihood="unknown", source=SOURCE, licence=LICENCE)
        for text in list(texts)[:_LONGEST]
    ]


def _tests(told: Iterable[_Rule | _Condition]) -> list[Step]:
    texts = dict.fromkeys(text for each in told for text in each.tests)
    return [Step(text=text, source=SOURCE) for text in list(texts)[:_LONGEST]]


def _number(code: str) -> int:
    return "PCBU".index(code[0]) << 16 | int(code[1:], 16)


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(_rule(*row) for row in rows("rules.csv"))


@cache
def _conditions() -> tuple[_Condition, ...]:
    return tuple(
        _Condition(name, _split(phrases), _split(causes), _split(tests))
        for name, phrases, causes, tests in rows("conditions.csv")
    )


def _rule(name: str, codes: str, words: str, severity: str, reason: str, causes: str, tests: str) -> _Rule:
    ranges = tuple(_range(*part.partition("-")[::2]) for part in codes.split())
    pattern = re.compile(words) if words else None
    return _Rule(name, ranges, pattern, cast(Severity, severity), reason, _split(causes), _split(tests))


def _range(first: str, last: str) -> range:
    return range(_number(first), _number(last or first) + 1)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))
