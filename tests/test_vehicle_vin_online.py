"""The vPIC service: answers in the form it sends, failures, the cache and the fallback."""

import json

import httpx
import pytest

from vehicle.vin.decode import decode_vin
from vehicle.vin.errors import BadVinError
from vehicle.vin.online import decode_vin_online, http_fetch

VIN = "5UXWX7C57BA000001"


def service_answer(**row):
    """Return an answer as DecodeVinValues sends it: one result of flat texts, unknown ones empty."""
    base = {
        "VIN": VIN,
        "Make": "BMW",
        "Model": "X3",
        "ModelYear": "2011",
        "BodyClass": "Sport Utility Vehicle (SUV)/Multi-Purpose Vehicle (MPV)",
        "DisplacementL": "3.0",
        "EngineCylinders": "6",
        "FuelTypePrimary": "Gasoline",
        "DriveType": "",
        "Trim": "xDrive35i",
        "ErrorCode": "0",
        "ErrorText": "0 - VIN decoded clean. Check Digit (9th position) is correct",
    }
    head = {"Count": 1, "Message": "Results returned successfully", "SearchCriteria": f"VIN(s): {VIN}"}
    return {**head, "Results": [{**base, **row}]}


def fetch_from(handler):
    return http_fetch(transport=httpx.MockTransport(handler))


def answering(**row):
    return fetch_from(lambda request: httpx.Response(200, json=service_answer(**row)))


def test_the_service_gives_the_model_and_each_field_names_its_source():
    answer = decode_vin_online(VIN, fetch=answering())
    assert answer.fields["model"].value == "X3"
    assert answer.fields["model"].source == "NHTSA vPIC service"
    assert answer.fields["trim"].value == "xDrive35i"
    assert "drive_type" not in answer.fields
    assert answer.sources[-1].outcome == "decoded"


def test_the_address_asked_is_the_public_one_with_the_year_the_vin_says():
    seen = []

    def handler(request):
        seen.append(str(request.url))
        return httpx.Response(200, json=service_answer())

    decode_vin_online(VIN, fetch=fetch_from(handler), this_year=2026)
    assert seen == [
        f"https://vpic.nhtsa.dot.gov/api/vehicles/DecodeVinValues/{VIN}?format=json&modelyear=2011"
    ]


def test_remarks_of_the_service_are_handed_on():
    answer = decode_vin_online(
        VIN, fetch=answering(ErrorCode="1", ErrorText="1 - Check Digit does not calculate")
    )
    assert answer.sources[-1].outcome == "decoded with remarks: 1 - Check Digit does not calculate"


def test_a_year_that_contradicts_the_vin_is_noted_and_not_taken():
    answer = decode_vin_online(VIN, fetch=answering(ModelYear="1981"), this_year=2026)
    assert answer.model_year.value == 2011
    assert "says model year 1981, the VIN itself says 2011" in answer.notes[-1]


def test_the_year_of_the_service_is_taken_where_the_vin_leaves_it_open():
    bus = "1M8GDM9AXKP042788"
    answer = decode_vin_online(bus, fetch=answering(VIN=bus, ModelYear="1989"), this_year=2026)
    assert (answer.model_year.value, answer.model_year.method) == (1989, "NHTSA vPIC service")


def late(request):
    raise httpx.ReadTimeout("late", request=request)


def unreachable(request):
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (late, "did not answer within 8 s"),
        (unreachable, "cannot be reached"),
        (lambda request: httpx.Response(503), "answered 503"),
        (lambda request: httpx.Response(200, text="<html>maintenance</html>"), "not a decoded VIN"),
        (lambda request: httpx.Response(200, json={"Results": []}), "not a decoded VIN"),
        (lambda request: httpx.Response(200, json=service_answer(VIN="1M8GDM9AXKP042788")), "another VIN"),
        (lambda request: httpx.Response(200, text=" " * 1_100_000), "bytes for one VIN"),
    ],
    ids=["late", "unreachable", "unavailable", "a web page", "no result", "another VIN", "far too long"],
)
def test_whatever_goes_wrong_online_the_offline_answer_stands_and_says_so(handler, said):
    answer = decode_vin_online(VIN, fetch=fetch_from(handler))
    assert answer.fields == decode_vin(VIN).fields
    assert said in answer.sources[-1].outcome
    assert "the offline answer stands" in answer.sources[-1].outcome


def test_a_good_answer_is_asked_for_once_and_a_bad_one_is_not_kept():
    stored, asked = {}, []

    def cache(key, produce):
        if key not in stored:
            stored[key] = produce()
        return stored[key]

    def fetch(url):
        asked.append(url)
        return "nonsense" if len(asked) == 1 else json.dumps(service_answer())

    models = [decode_vin_online(VIN, fetch=fetch, cache=cache).fields["model"].value for _ in range(3)]
    assert models == [None, "X3", "X3"]
    assert len(asked) == 2
    assert len(stored) == 1


def test_a_malformed_vin_never_leaves_this_machine():
    def fetch(url):
        raise AssertionError(url)

    with pytest.raises(BadVinError):
        decode_vin_online("NOT A VIN", fetch=fetch)
