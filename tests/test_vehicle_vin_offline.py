"""VINs without a table or a network."""

import csv
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import recording

from vehicle.vin.check_digit import expected_digit
from vehicle.vin.decode import decode_vin
from vehicle.vin.errors import BadVinError

ALPHABET = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def known_vins():
    with recording("vin/vin_known_40.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_forty_known_vins_give_their_year_and_a_matching_check_digit():
    wrong = []
    for row in known_vins():
        answer = decode_vin(row["vin"], this_year=2026)
        if answer.model_year.value != int(row["year"]) or not answer.check_digit.matches:
            wrong.append((row["vin"], row["year"], answer.model_year))
    assert wrong == []


def test_forty_known_vins_give_their_country():
    names = {"Korea (South)": "South Korea"}
    for row in known_vins():
        assert decode_vin(row["vin"]).country.value == names.get(row["country"], row["country"])


def test_a_make_named_without_a_table_is_never_the_wrong_one():
    named = 0
    for row in known_vins():
        make = decode_vin(row["vin"]).fields["make"]
        assert make.value in (None, row["make"])
        assert make.value or row["make"] in make.reason
        named += make.value is not None
    assert named >= 30


@pytest.mark.parametrize(
    "text", ["1m8gdm9axkp042788", " 1M8GDM9AXKP042788\n", "1M8-GDM9AX-KP042788", "VIN: 1M8 GDM9AX KP042788"]
)
def test_spaces_dashes_and_lower_case_are_read_and_said(text):
    answer = decode_vin(text)
    assert answer.vin == "1M8GDM9AXKP042788"
    assert answer.asked == text
    assert answer.notes == ["read as 1M8GDM9AXKP042788"]


def test_the_letter_o_is_refused_with_the_vin_it_probably_stands_for():
    with pytest.raises(BadVinError) as caught:
        decode_vin("1M8GDM9AXKPO42788")
    assert "O at position 12" in caught.value.message
    assert "1M8GDM9AXKP042788 (its check digit matches)" in caught.value.hint
    assert caught.value.code == "bad_arguments"


@pytest.mark.parametrize(
    ("text", "said"), [("", "has 0"), ("1M8GDM9AXKP04278", "has 16"), ("1M8" * 6, "has 18")]
)
def test_a_wrong_length_is_said_with_the_length_found(text, said):
    with pytest.raises(BadVinError, match=said) as caught:
        decode_vin(text)
    assert "17 characters" in caught.value.hint


def test_a_character_no_vin_has_is_named():
    with pytest.raises(BadVinError, match="'!'"):
        decode_vin("1M8GDM9AXKP04278!")


def test_a_motor_coach_is_not_called_a_mercury():
    answer = decode_vin("1M8GDM9AXKP042788")
    assert answer.fields["make"].value == "Motor Coach Industries"
    assert "vPIC" in answer.fields["make"].source


def test_hyundai_and_genesis_share_an_identifier_so_no_make_is_guessed():
    make = decode_vin("KMHDU46D89U000001").fields["make"]
    assert make.value is None
    assert make.reason == "Genesis, Hyundai share this identifier"


def test_a_small_maker_is_not_named_by_three_characters():
    field = decode_vin("1G9AAAAAXAA123456").fields["manufacturer"]
    assert field.value is None
    assert "position 3 is 9" in field.reason


def test_position_7_decides_the_cycle_for_a_car_made_in_north_america():
    assert decode_vin("19XFC1F7XGE028370", this_year=2026).model_year.value == 2016
    assert decode_vin("19UUA65694A043249", this_year=2026).model_year.value == 2004


def test_position_7_does_not_decide_for_buses_and_heavy_trucks():
    bus = decode_vin("1M8GDM9AXKP042788", this_year=2026).model_year
    assert (bus.value, bus.candidates) == (None, [2019, 1989])
    assert "position 7" in bus.reason
    truck = decode_vin("1FUJGLDR5CSBK1234", this_year=2026).model_year
    assert (truck.value, truck.candidates) == (None, [2012, 1982])


def test_a_european_vin_keeps_its_year_open():
    answer = decode_vin("WVWZZZ1KZ6W000001", this_year=2026)
    assert (answer.model_year.value, answer.model_year.candidates) == (None, [2006])
    assert "outside North America" in answer.model_year.reason
    assert not answer.check_digit.required
    assert answer.check_digit.verdict.startswith("not used")
    assert answer.check_digit.suggestions == []


def test_a_year_letter_that_does_not_exist_gives_no_year():
    year = decode_vin("ZFA19900000123456").model_year
    assert (year.value, year.candidates) == (None, [])
    assert "'0'" in year.reason


def test_years_to_come_are_no_candidates():
    assert decode_vin("WVWZZZ1KZ6W000001", this_year=2036).model_year.candidates == [2036, 2006]


def test_a_year_yet_to_come_is_not_given():
    year = decode_vin("19XFC1FAXYE028370", this_year=2026).model_year
    assert (year.value, year.candidates) == (None, [2000])
    assert "yet to come" in year.reason


def test_a_maker_only_the_second_list_knows_is_named_with_that_source():
    field = decode_vin("TMBJJ7NE5G0123456").fields["manufacturer"]
    assert (field.value, field.source) == ("Škoda", "vininfo")


def test_a_mistyped_american_vin_is_called_wrong_and_offers_what_was_misread():
    answer = decode_vin("19XFC1F7XGEO28370".replace("O", "D"))
    assert not answer.check_digit.matches
    assert answer.check_digit.verdict.startswith("wrong")
    assert "19XFC1F7XGE028370" in answer.check_digit.suggestions


def test_seventeen_ones_is_the_textbook_check_digit():
    assert expected_digit("1" * 17) == "1"


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_any_seventeen_characters_are_answered_and_every_absent_field_says_why(text):
    answer = decode_vin(text, this_year=2026)
    for field in (*answer.fields.values(), answer.country, answer.region):
        assert (field.value and field.source) or field.reason
    assert answer.model_year.value is None or answer.model_year.candidates == [answer.model_year.value]
    assert answer.model_year.value or answer.model_year.reason


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(ALPHABET))
def test_one_changed_character_changes_the_check_digit_or_has_the_same_value(text, place, other):
    before, after = expected_digit(text), expected_digit(text[:place] + other + text[place + 1 :])
    # A, J and 1 count the same, and so on down the table: such slips no check digit finds.
    alike = any(text[place] in group and other in group for group in same_value_groups())
    assert (before == after) == (alike or place == 8)


def same_value_groups():
    return ["0", "1AJ", "2BKS", "3CLT", "4DMU", "5ENV", "6FW", "7GPX", "8HY", "9RZ"]


def test_decoding_imports_nothing_heavy():
    code = "import sys, vehicle.vin; print(sorted({'httpx', 'vininfo', 'numpy', 'obd'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
