"""Fixtures and rules that all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.reports import TestReport

from tools.context import Workshop


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Fail a skipped test where everything it could need is said to be present."""
    outcome = yield
    report: TestReport = outcome.get_result()
    if report.skipped and os.environ.get("OBD_AGENT_NOTHING_SKIPPED"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {report.longrepr}"


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop with an empty store in a temporary home."""
    workshop = Workshop(tmp_path, f"sqlite:///{tmp_path / 'test.db'}")
    yield workshop
    workshop.close()
