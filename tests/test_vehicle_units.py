"""Conversions against figures from outside the table."""

import numpy as np
import pytest

from vehicle.units import accepted, convert, scale


@pytest.mark.parametrize(
    ("value", "found", "wanted", "expected"),
    [
        (212.0, "°F", "°C", 100.0),
        (-40.0, "°F", "°C", -40.0),
        (273.15, "K", "°C", 0.0),
        (60.0, "mph", "km/h", 96.56064),
        (10.0, "m/s", "km/h", 36.0),
        (14.5, "psi", "kPa", 99.97398),  # NIST SP 811: 6.894757 kPa
        (29.92, "inHg", "kPa", 101.32075),  # NIST SP 811: 3.386389 kPa
        (1.0, "bar", "kPa", 100.0),
        (1013.25, "mbar", "kPa", 101.325),
        (0.3, "MPa", "kPa", 300.0),
        (1.0, "kPa", "Pa", 1000.0),
        (3.6, "kg/h", "g/s", 1.0),
        (1.0, "lb/min", "g/s", 7.559873),  # NIST SP 811: 7.559873 g/s
        (1.0, "gal/h", "L/h", 3.785412),
        (1.0, "gal/h (imperial)", "L/h", 4.54609),
        (100.0, "cc/min", "L/h", 6.0),
        (1.0, "mi", "km", 1.609344),
        (100.0, "hp", "kW", 74.56999),  # NIST SP 811: 745.6999 W
        (100.0, "PS", "kW", 73.54988),
        (100.0, "ft·lb", "Nm", 135.5818),  # NIST SP 811: 1.355818 Nm
        (1.0, "g", "m/s²", 9.80665),
        (1.0, "kg", "g", 1000.0),
        (90.0, "s", "min", 1.5),
        (5.0, "ft", "m", 1.524),
    ],
)
def test_a_value_in_a_foreign_unit_becomes_the_one_of_the_signal(value, found, wanted, expected):
    assert convert(np.array([value]), found, wanted)[0] == pytest.approx(expected, rel=2e-7, abs=1e-9)


def test_a_gram_is_no_acceleration_and_a_standard_gravity_is_no_mass():
    assert scale("g", "g") == (1.0, 0.0)
    assert scale("g", "m/s²") == (9.80665, 0.0)


@pytest.mark.parametrize(
    ("found", "wanted"), [("kPa", "%"), ("g/s", "L/h"), ("rpm", "km/h"), ("furlong", "km")]
)
def test_what_cannot_become_the_unit_is_refused_and_never_guessed(found, wanted):
    assert scale(found, wanted) is None
    with pytest.raises(ValueError, match="cannot become"):
        convert(np.array([1.0]), found, wanted)


def test_every_conversion_there_and_back_is_the_same_number():
    for wanted in ("kPa", "km/h", "°C", "g/s", "km", "s", "kW", "Nm"):
        for found in accepted(wanted):
            factor, offset = scale(found, wanted)
            value = 12.5 * factor + offset
            assert (value - offset) / factor == pytest.approx(12.5)


def test_the_same_unit_gives_back_the_same_array():
    values = np.array([1.0, 2.0])
    assert convert(values, "kPa", "kPa") is values
