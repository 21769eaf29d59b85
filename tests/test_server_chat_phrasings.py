"""How often the built-in responder understands phrasings: those that improved it, and those that never did."""

from pathlib import Path
from typing import NamedTuple

import pytest

from server.chat.builtin.routing import route
from tools import TOOLS

PHRASINGS = Path(__file__).parent / "data" / "chat"
OFFERED = frozenset(tool.name for tool in TOOLS)


class Rate(NamedTuple):
    """How phrasings were routed; `wrong` is what was answered by another tool, or should have been declined."""

    total: int
    declined: list[str]
    wrong: list[str]

    @property
    def right(self) -> float:
        return 1 - (len(self.declined) + len(self.wrong)) / self.total

    def say(self, name: str) -> str:
        share = (
            f"{self.right:.1%} right, {len(self.declined)} declined, {len(self.wrong)} wrong of {self.total}"
        )
        return "\n".join([f"{name}: {share}", *(f"wrong: {one}" for one in self.wrong)])


def rate_of(name: str) -> Rate:
    lines = (PHRASINGS / name).read_text(encoding="utf-8").splitlines()
    asked = [line.split("\t") for line in lines if line and not line.startswith("#")]
    declined, wrong = [], []
    for expected, text in asked:
        *before, last = text.split(" >> ")
        got = route(last, OFFERED, before).tool or "-"
        if got not in expected.split("|"):
            (declined if got == "-" else wrong).append(f"{text} -> {got}, not {expected}")
    return Rate(len(asked), declined, wrong)


@pytest.mark.parametrize("name", ["phrasings_seen.txt", "phrasings_unseen.txt"])
def test_nine_of_ten_phrasings_are_understood_and_hardly_one_wrongly(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = rate_of(name)
    with capsys.disabled():
        print(f"\n{rate.say(name)}")  # noqa: T201 - the rate is a result
    assert rate.right >= 0.9
    assert len(rate.wrong) <= 0.02 * rate.total


def test_the_phrasings_are_many_and_in_two_languages() -> None:
    lines = (PHRASINGS / "phrasings_unseen.txt").read_text(encoding="utf-8").splitlines()
    asked = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert sum(expected != "-" for expected, _ in asked) >= 60
    assert sum(expected == "-" for expected, _ in asked) >= 20
