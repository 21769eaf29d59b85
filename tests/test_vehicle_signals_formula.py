"""The formula language: what it can say, what it refuses, and signals of a user's own file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vehicle.signals import FormulaError, decode_signal, read_signal_file
from vehicle.signals.custom import SignalFileError
from vehicle.signals.decode import DataLengthError
from vehicle.signals.formula import byte_index, compile_formula


@pytest.mark.parametrize(
    ("text", "data", "value"),
    [
        ("((A*256)+B)/4", "1AF8", 1726),
        ("u16(A,B)/100", "0A28", 26),
        ("s16(A,B)/4", "FFFC", -1),
        ("s8(A)", "80", -128),
        ("bit(A,7)", "80", 1),
        ("A & 15 | B << 4", "FF01", 0x1F),
        ("-A + 3", "05", -2),
        ("A if B > 3 else 0.5", "0902", 0.5),
        ("not A and B == 1", "0001", 1),
        ("max(A, B) // 2 % 100", "10F0", 20),
        ("AA", "00" * 26 + "07", 7),
    ],
)
def test_arithmetic_over_bytes(text: str, data: str, value: float) -> None:
    assert compile_formula(text)(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "A.__class__",
        "(lambda: 1)()",
        "[A for A in B]",
        "A[0]",
        "'x'",
        "f'{A}'",
        "A ** B",
        "9**9**9",
        "1 << A",
        "1 << 9999",
        "1e400",
        "True",
        "None",
        "print(A)",
        "u16(A)",
        "u16(A*300,B)",
        "u16(A, B=1)",
        "max(*A)",
        "a",
        "A1",
        "ABC",
        "A; B",
        "A = 1",
        "(A := 1)",
        "",
        "A +",
        "A < B < C",
        "~A",
        "A" + "+A" * 300,
        "(" * 400 + "A" + ")" * 99,
        "await A",
        "{A}",
        "A if B",
    ],
)
def test_anything_but_arithmetic_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(FormulaError) as caught:
        compile_formula(text)
    assert caught.value.code == "bad_arguments"
    assert "Allowed" in caught.value.hint


def test_missing_bytes_and_division_by_zero_are_errors_not_values() -> None:
    for text, data in (("A + C", b"\x01\x02"), ("10 / A", b"\x00"), ("A % B", b"\x01\x00")):
        with pytest.raises(FormulaError):
            compile_formula(text)(data)


@given(st.text(alphabet="ABCZ019+-*/%&|^<>()., ifelsebitu16s", max_size=40), st.binary(max_size=4))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_number_or_a_formula_error(text: str, data: bytes) -> None:
    try:
        value = compile_formula(text)(data)
    except FormulaError:
        return
    assert isinstance(value, int | float)


def test_byte_letters_count_like_spreadsheet_columns() -> None:
    assert [byte_index(name) for name in ("A", "Z", "AA", "AO")] == [0, 25, 26, 40]
    assert byte_index("É") is None


HEAD = "name,request,length,formula,unit,header,low,high,condition,rate\n"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my_signals.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_users_file_gives_signals_for_service_22_and_maker_requests(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        HEAD + 'gearbox_temp,22 1E1C,2,"u16(A,B)/16",°C,7E1,-40,200,,fast\n'
        "vag_block,21A1,8,H,count,,,,A != 0,\n",
    )
    signals = read_signal_file(path)
    gearbox, block = signals["gearbox_temp"], signals["vag_block"]
    assert (gearbox.request, gearbox.header, gearbox.rate) == ("221E1C", "7E1", "fast")
    assert decode_signal(gearbox, b"\x05\x00") == 80.0
    assert decode_signal(block, bytes(8)) is None
    with pytest.raises(DataLengthError):
        decode_signal(gearbox, b"\x05")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("gearbox temp,221E1C,2,A,°C,,,,,", "name"),
        ("rpm,221E1C,2,A,rpm,,,,,", "name"),
        ("x1,2E1E1C,2,A,°C,,,,,", "request"),
        ("x1,04,2,A,°C,,,,,", "request"),
        ("x1,010C0D,2,A,°C,,,,,", "request"),
        ("x1,221E1C,two,A,°C,,,,,", "length"),
        ('x1,221E1C,1,"u16(A,B)",°C,,,,,', "formula"),
        ("x1,221E1C,1,__import__('os'),°C,,,,,", "formula"),
        ("x1,221E1C,1,,°C,,,,,", "formula"),
        ("x1,221E1C,1,A,,,,,,", "unit"),
        ("x1,221E1C,1,A,V,7E,,,,", "header"),
        ("x1,221E1C,1,A,V,,low,,,", "low"),
        ("x1,221E1C,1,A,V,,,,,often", "rate"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_column(tmp_path: Path, row: str, column: str) -> None:
    with pytest.raises(SignalFileError, match=f"Line 2, {column}"):
        read_signal_file(_file(tmp_path, HEAD + row + "\n"))


def test_a_file_without_the_needed_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignalFileError, match=r"lacks length.*unknown colour"):
        read_signal_file(_file(tmp_path, "name,request,formula,unit,colour\n"))
