"""Trouble codes: forms, structure, meaning with provenance."""

import csv
import gzip
import subprocess
import sys
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.codes.catalogue import catalogue
from vehicle.codes.errors import BadCodeError
from vehicle.codes.failure_types import explain_failure_type
from vehicle.codes.form import bytes_to_code
from vehicle.codes.lookup import lookup_code
from vehicle.codes.structure import explain_structure


def test_a_known_code_comes_with_meaning_source_and_licence():
    answer = lookup_code("P0171")
    assert answer.meaning.text == "System Too Lean (Bank 1)"
    assert answer.meaning.licence == "CC0-1.0"
    assert "OBDex" in answer.meaning.source
    assert answer.meaning.check == "agrees"
    assert (answer.provenance, answer.reason, answer.title_conflict) == ("SAE", None, False)


def test_more_than_nine_thousand_codes_are_in_the_list_and_none_of_a_manufacturer():
    assert len(catalogue()) == 9533
    makers = [code for code in catalogue() if explain_structure(code).assigned_by != "SAE"]
    assert makers == []


def test_the_shipped_list_stays_small():
    packed = (files("vehicle.codes") / "data" / "catalogue.csv.gz").read_bytes()
    assert len(packed) < 600_000
    assert gzip.decompress(packed).count(b"\n") >= 9533


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (" p0171 ", None),
        ("P 0171", None),
        ("p-0171", None),
        ("0171", "no system letter"),
        ("PO171", "written as O"),
        ("P0I7I", "written as O, I or L"),
        ("0x0171", "bytes a car sends"),
        ("code P0171 stored", "out of the text"),
        ("P0171 - System too lean", "out of the text"),
    ],
)
def test_common_ways_to_write_a_code_are_read_and_said(text, note):
    answer = lookup_code(text)
    assert answer.code == "P0171"
    assert answer.asked == text
    assert (answer.notes == []) if note is None else (note in answer.notes[0])


@pytest.mark.parametrize(
    "text", ["P0171:1A", "P0171-1a", "P01711A", "P0171 1A", "P0171 (1A)", "0x01711A", "0171:1A"]
)
def test_a_failure_type_byte_is_read_and_explained(text):
    answer = lookup_code(text)
    assert answer.code == "P0171"
    assert answer.structure.failure_type.value == "1A"
    assert answer.structure.failure_type.meaning == "circuit resistance below threshold"


def test_failure_types_outside_the_published_list_stay_unnamed():
    assert explain_failure_type(0x00).meaning == "no failure type given"
    assert explain_failure_type(0xF3).reason == "assigned by the manufacturer: unknown"
    assert explain_failure_type(0x3F).reason == "not in the published list: unknown"


@pytest.mark.parametrize(
    "code", ["P1234", "P3000", "P33FF", "C1ABC", "C2000", "B1000", "B2FFF", "U1000", "U2ABC"]
)
def test_codes_of_manufacturers_are_never_given_a_meaning(code):
    answer = lookup_code(code)
    assert answer.provenance == "manufacturer"
    assert answer.reason.startswith("manufacturer-specific: unknown")
    assert answer.meaning is answer.description is None
    assert (answer.severity.value, answer.causes, answer.tests) == ("unknown", [], [])


def test_the_make_is_named_where_the_reader_must_look_further():
    assert "service information of Opel" in lookup_code("P1234", make=" Opel ").reason
    assert lookup_code("P0171", make="Opel") == lookup_code("P0171")


def test_a_standard_code_that_is_not_in_the_list_is_unknown():
    answer = lookup_code("P34FF")
    assert (answer.provenance, answer.meaning) == ("unknown", None)
    assert answer.reason.startswith("not in the catalogue: unknown")
    assert answer.structure.assigned_by == "SAE"


@pytest.mark.parametrize(
    ("code", "system", "who", "subsystem"),
    [
        ("P0301", "powertrain", "SAE", "ignition system or misfire"),
        ("P0741", "powertrain", "SAE", "transmission"),
        ("P0AA6", "powertrain", "SAE", "hybrid and electric propulsion"),
        ("P3400", "powertrain", "SAE", "cylinder deactivation"),
        ("P3399", "powertrain", "manufacturer", "ignition system or misfire"),
        ("U0100", "network", "SAE", "network communication"),
        ("U3000", "network", "SAE", None),
        ("C0035", "chassis", "SAE", None),
        ("B2000", "body", "manufacturer", None),
        ("B3000", "body", "unknown", None),
    ],
)
def test_the_structure_of_a_code_is_explained(code, system, who, subsystem):
    structure = explain_structure(code)
    assert (structure.system, structure.assigned_by, structure.subsystem) == (system, who, subsystem)
    assert structure.subsystem or structure.subsystem_reason


@given(st.integers(0, 0xFFFF))
def test_any_two_bytes_spell_a_code_whose_structure_is_explained(word):
    code = bytes_to_code(word)
    answer = lookup_code(code)
    assert answer.code == code
    assert answer.meaning or answer.reason
    assert answer.structure.assigned_by_reason
    assert lookup_code(f"0x{word:04X}").code == code


def told(text):
    """Return what a question about a code leads to: an answer or the refusal."""
    try:
        return lookup_code(text)
    except BadCodeError as refusal:
        return refusal


@given(st.text(max_size=12))
def test_any_text_is_answered_or_refused_with_the_allowed_form(text):
    outcome = told(text)
    if isinstance(outcome, BadCodeError):
        assert "Allowed:" in outcome.hint or "one code at a time" in outcome.hint
    else:
        assert outcome.structure.code == outcome.code


@pytest.mark.parametrize(
    ("text", "said", "nearest"),
    [
        ("", "empty", ()),
        ("P171", "not a trouble code", "P0171"),
        ("P4171", "first digit is 0 to 3", "P0171"),
        ("X0171", "X is no system letter", "P0171"),
        ("16485", "manufacturer's own number", ()),
        ("SPN 100 FMI 1", "J1939", ()),
        ("C035", "not a trouble code", "C0035"),
        ("hello", "not a trouble code", ()),
    ],
)
def test_a_malformed_code_is_refused_with_its_form_and_the_nearest_codes(text, said, nearest):
    with pytest.raises(BadCodeError, match=said) as caught:
        lookup_code(text)
    assert "P0171" in caught.value.hint
    assert nearest in caught.value.nearest if nearest else caught.value.nearest == ()


def test_two_codes_in_one_question_are_refused():
    with pytest.raises(BadCodeError, match="P0171, P0174"):
        lookup_code("P0171 and P0174")


def test_chassis_and_body_titles_are_marked_unverified():
    for code in ("C0035", "B0001"):
        assert lookup_code(code).meaning.check == "unverified"


# The titles that share less than a fifth of their words with python-OBD's list and contradict it.
CONTRADICTED = [
    *("P0260", "P0273", "P0A10", "P2113", "P2114", "P2231", "P2415", "P2416", "P2417", "P2419", "P2420"),
    *("P2543", "P2567", "P2568", "P2604", "P3435", "P3466", "P3469", "P3470", "P3471", "P3472", "P3474"),
    *("P3476", "P3477", "P3478", "P3491", "P3492", "P3493", "P3494", "P3495", "U0030", "U0173", "U0304"),
]


@pytest.mark.parametrize("code", CONTRADICTED)
def test_a_title_that_other_lists_contradict_is_ours_and_flagged(code):
    answer = lookup_code(code)
    assert answer.title_conflict
    assert answer.meaning.check == "conflict"
    assert answer.meaning.source == "obd-agent correction"
    assert "the OBDex catalogue says" in answer.meaning.note
    assert answer.description is None


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("P0139", "bank 1 sensor 2: slow response"),
        ("P0143", "bank 1 sensor 3: voltage too low"),
        ("P2415", "bank 2 sensor 1: exhaust sample error"),
        ("P3435", "Cylinder 5, deactivation or intake valve control: circuit low"),
        ("P3495", "Cylinder 12, exhaust valve control: circuit low"),
        ("P2604", "Intake air heater A"),
        ("P0AA1", "stuck closed"),
        ("U0015", "Medium-speed CAN bus: minus line open"),
        ("U0304", "gear shift control module"),
    ],
)
def test_corrected_titles_say_what_most_lists_say(code, means):
    assert means in lookup_code(code).meaning.text


def test_no_correction_is_a_sentence_of_the_other_list():
    obd_codes = pytest.importorskip("obd.codes", reason="needs python-OBD to compare with")
    text = (files("vehicle.codes") / "data" / "corrections.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    assert len(rows) > 200
    assert [code for code, title, _ in rows if title.lower() == obd_codes.DTC.get(code, "").lower()] == []


def test_codes_that_agree_with_the_other_list_name_the_same_cylinder_and_condition():
    obd_codes = pytest.importorskip("obd.codes", reason="needs python-OBD to compare with")
    agreeing = [entry for entry in catalogue().values() if entry.check == "agrees"]
    assert len(agreeing) > 1700
    for entry in agreeing:
        other = obd_codes.DTC[entry.code]
        for condition in ("stuck on", "stuck open", "stuck closed", "too lean", "too rich", "no signal"):
            assert (condition in entry.title.lower()) == (condition in other.lower()), entry.code
        if "Cylinder " in other and "Cylinder " in entry.title:
            assert other.split("Cylinder ")[1].split()[0].strip("#") in entry.title


def test_a_text_the_catalogue_gives_to_several_codes_is_called_doubtful():
    answer = lookup_code("P0A3C")
    assert answer.title_conflict
    assert answer.meaning.note.startswith("doubtful: the catalogue gives P0A78 the same text")


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("P0301", "warning"),
        ("P0420", "advice"),
        ("P0524", "critical"),
        ("P0AA6", "critical"),
        ("P0070", "info"),
    ],
)
def test_severity_comes_from_a_rule_of_ours_that_is_named(code, severity):
    verdict = lookup_code(code).severity
    assert (verdict.value, verdict.source, verdict.generic) == (severity, "obd-agent rules", True)
    assert verdict.rule
    assert verdict.reason


def test_a_code_no_rule_covers_has_unknown_severity():
    verdict = lookup_code("P0005").severity
    assert (verdict.value, verdict.rule) == ("unknown", None)


def test_causes_and_tests_say_whose_they_are_and_that_they_are_generic():
    answer = lookup_code("P0171")
    sources = {cause.source for cause in answer.causes}
    assert "obd-agent rules" in sources
    assert any("OBDex" in source for source in sources)
    assert all(cause.generic and cause.licence for cause in answer.causes)
    assert answer.tests
    assert all(step.source == "obd-agent rules" for step in answer.tests)


def test_the_wording_of_a_title_adds_causes_and_tests():
    low, high = lookup_code("P0117"), lookup_code("P0118")
    assert any("shorted to ground" in cause.text for cause in low.causes)
    assert any("shorted to supply" in cause.text for cause in high.causes)


def test_every_rule_speaks_for_some_code_and_every_answer_can_be_given():
    spoken = {lookup_code(code).severity.rule for code in catalogue()}
    text = (files("vehicle.codes") / "data" / "rules.csv").read_text(encoding="utf-8")
    assert {row[0] for row in csv.reader(text.splitlines())} <= spoken


def test_looking_up_imports_nothing_heavy():
    code = "import sys, vehicle.codes; print(sorted({'numpy', 'pandas', 'obd', 'sqlite3', 'httpx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
