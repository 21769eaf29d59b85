"""A person's own signals are read and recorded like the standard ones, and a wrong file is named."""

from pathlib import Path

import pytest

from tools.capture import capture_status, start_capture, stop_capture
from tools.car import read_signals
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.signals import query_signals

CAR = "sim:petrol?warm=1"
# The first letter of the VIN as a number: the simulated car answers service 22 for F190 only.
FILE = "name,request,length,formula,unit,header\nvin_first_letter,22F190,17,A,code,7E0\n"


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def folder(workshop: Workshop) -> Path:
    folder = workshop.home / "signals"
    folder.mkdir(parents=True)
    return folder


def test_an_own_signal_is_read_and_recorded(context: ToolContext, folder: Path) -> None:
    (folder / "own.csv").write_text(FILE, encoding="utf-8")
    now = read_signals(context, ["vin_first_letter", "rpm"], CAR)
    assert next(one.quantity.value for one in now.values if one.signal == "vin_first_letter") == ord("2")
    session_id = start_capture(context, CAR, ["vin_first_letter", "rpm"]).session_id
    while capture_status(context, session_id).readings < 20:
        pass
    stop_capture(context, session_id)
    kept = query_signals(context, session_id, ["vin_first_letter"]).signals[0]
    assert (kept.minimum, kept.maximum, kept.unit) == (ord("2"), ord("2"), "code")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,request\nx,22F190\n", "lacks"),
        (FILE.replace("22F190", "2EF190"), "request"),
        (FILE.replace("A,code", "os,code"), "formula"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(
    context: ToolContext, folder: Path, text: str, said: str
) -> None:
    (folder / "own.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ToolError) as refused:
        read_signals(context, ["rpm"], CAR)
    assert refused.value.code == "bad_arguments"
    assert "own.csv" in refused.value.message
    assert said in refused.value.message
