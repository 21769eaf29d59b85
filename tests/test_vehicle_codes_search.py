"""Searching trouble codes by text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.codes.errors import BadSearchError
from vehicle.codes.search import search_codes
from vehicle.codes.words import asked_words, slips, title_words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("misfire cylinder 3", "P0303"),
        ("misfiring engine 4", "P0304"),
        ("too lean bank 1", "P0171"),
        ("lean mixture bank 2", "P0174"),
        ("thermostat", "P0128"),
        ("catalyst efficiency below threshold", "P0420"),
        ("oxygen sensor slow response bank 1 sensor 2", "P0139"),
        ("lambda sensor slow bank 2 sensor 1", "P0153"),
        ("mass air flow low", "P0102"),
        ("MAF sensor low", "P0102"),
        ("engine oil pressure too low", "P0524"),
        ("turbo underboost", "P0299"),
        ("lost communication with transmission", "U0101"),
        ("evap small leak", "P0442"),
        ("hybrid battery isolation", "P0AA6"),
        ("left front wheel speed sensor", "C0035"),
        ("knocking sensor", "P0325"),
        ("DPF soot", "P2463"),
    ],
)
def test_what_people_ask_finds_the_code_they_mean_first(text, code):
    assert search_codes(text).hits[0].code == code


@pytest.mark.parametrize(
    ("text", "corrected", "code"),
    [
        ("termostat", {"termostat": "thermostat"}, "P0128"),
        ("camshft crankshaft correlation", {"camshft": "camshaft"}, "P0016"),
        ("catalyst efficency below treshold", {"efficency": "efficiency", "treshold": "threshold"}, "P0420"),
        ("lamda sensor heater", {"lamda": "lambda"}, "P0053"),
    ],
)
def test_slips_of_the_pen_are_corrected_and_said(text, corrected, code):
    page = search_codes(text)
    assert page.corrected == corrected
    assert page.hits[0].code == code


def test_paging_gives_every_hit_once_with_the_total():
    first = search_codes("lean", limit=20)
    assert first.total > 40
    pages = [search_codes("lean", limit=20, offset=offset) for offset in range(0, first.total, 20)]
    codes = [hit.code for page in pages for hit in page.hits]
    assert len(codes) == len(set(codes)) == first.total
    assert [page.next_offset for page in pages] == [*range(20, first.total, 20), None]


def test_hits_are_ranked_and_say_what_they_matched():
    page = search_codes("knock sensor", limit=50)
    scores = [hit.score for hit in page.hits]
    assert scores == sorted(scores, reverse=True)
    assert set(page.hits[0].matched) == {"knock", "sensor"}
    assert page.licence == "CC0-1.0"


@pytest.mark.parametrize("text", ["P030", "p030x", "P030*"])
def test_the_start_of_a_code_lists_the_codes_that_begin_so(text):
    page = search_codes(text, limit=100)
    assert [hit.code for hit in page.hits][:3] == ["P0300", "P0301", "P0302"]
    assert page.total == 16


def test_a_whole_code_finds_itself():
    assert [hit.code for hit in search_codes(" p0420 ").hits] == ["P0420"]


def test_the_start_of_a_manufacturer_code_finds_nothing_and_says_why():
    page = search_codes("P12")
    assert page.total == 0
    assert "manufacturers" in page.notes[0]


def test_words_the_list_does_not_know_are_left_out_and_named():
    page = search_codes("zzzqqq misfire")
    assert page.ignored == ["zzzqqq"]
    assert page.total > 10
    assert search_codes("zzzqqq").total == 0


def test_where_no_code_has_all_the_words_it_is_said():
    page = search_codes("throttle body dirty")
    assert "at most 2 of 3" in page.notes[0]
    assert page.total > 0


def test_a_system_keeps_only_its_codes():
    page = search_codes("sensor circuit low", system="chassis", limit=100)
    assert page.total > 0
    assert {hit.code[0] for hit in page.hits} == {"C"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "lean", "limit": 0}, "no page"),
        ({"text": "lean", "limit": 101}, "no page"),
        ({"text": "lean", "offset": -1}, "no page"),
        ({"text": "lean", "system": "engine"}, "no system 'engine'"),
    ],
)
def test_a_search_that_cannot_be_answered_is_refused(arguments, said):
    with pytest.raises(BadSearchError, match=said) as caught:
        search_codes(**arguments)
    assert caught.value.code == "bad_arguments"


def test_an_offset_past_the_end_is_an_empty_page_with_the_total():
    page = search_codes("misfire", offset=10_000)
    assert page.hits == []
    assert page.total > 0
    assert page.next_offset is None


@given(st.text(max_size=40).filter(str.strip))
def test_any_text_can_be_searched(text):
    page = search_codes(text)
    assert len(page.hits) <= page.total


def test_the_catalogue_is_indexed_once_and_not_for_every_search(monkeypatch):
    search_codes("warm")
    monkeypatch.setattr("vehicle.codes.search._weighed", lambda entry: pytest.fail("indexed again"))
    assert search_codes("termostat").hits


def test_numbered_parts_stay_together():
    assert "bank_1" in asked_words("bank 1 sensor 2")
    assert "sensor_2" in title_words("(Bank 1, Sensor 2)")


def test_slips_count_letters_added_lost_changed_and_exchanged():
    assert [slips("knock", other) for other in ("knock", "knok", "knoock", "knack", "konck")] == [
        0,
        1,
        1,
        1,
        1,
    ]
