"""Which tools a process offers is chosen at start, and a wrong choice is an error."""

import pytest

from server.selection import UnknownChoiceError, select_tools
from tools import TOOLS


def names(**chosen: object) -> list[str]:
    return [tool.name for tool in select_tools(TOOLS, **chosen)]  # type: ignore[arg-type]  # chosen by the test


def test_all_tools_are_offered_by_default() -> None:
    assert names() == [tool.name for tool in TOOLS]


def test_toolsets_and_single_tools_add_up() -> None:
    chosen = names(toolsets=["lookup"], names=["get_session"])
    assert "get_session" in chosen
    assert "decode_vin" in chosen
    assert "delete_session" not in chosen


def test_exclusion_wins_over_naming() -> None:
    assert "decode_vin" not in names(toolsets=["lookup"], names=["decode_vin"], exclude=["decode_vin"])


def test_read_only_wins_over_everything() -> None:
    chosen = names(names=["delete_session", "get_session"], read_only=True)
    assert chosen == ["get_session"]


def test_an_unknown_name_stops_the_start_and_names_the_nearest() -> None:
    with pytest.raises(UnknownChoiceError, match="Did you mean lookup"):
        names(toolsets=["lokup"])
    with pytest.raises(UnknownChoiceError, match="no tool 'fly'"):
        names(exclude=["fly"])
