"""The project installs alone and keeps its names to itself."""

from importlib.metadata import packages_distributions

import pytest

ROOMS = ["server", "tools", "vehicle", "analysis", "storage", "sandbox", "prompts"]


@pytest.mark.parametrize("room", ROOMS)
def test_no_dependency_ships_a_package_with_one_of_our_names(room: str) -> None:
    assert set(packages_distributions().get(room, [])) <= {"obd-agent"}
