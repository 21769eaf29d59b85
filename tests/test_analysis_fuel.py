"""Fuel of a session: methods, intervals, refusals, segments, advice."""

import numpy as np
import pytest
from drives import changed, etios, leon, only, shifted, simulated, table_of, truth, without

from analysis.errors import UnknownChoiceError
from analysis.facts import VehicleFacts
from analysis.fuel import analyze_fuel
from analysis.results.fuel import FillUp, FuelAnalysis, LabelFigures

ECU = ("fuel_rate", "engine_fuel_rate_mass")
DRIVE_S = 1500.0


@pytest.fixture(scope="module")
def drive():
    return simulated(DRIVE_S, 2.0, seed=3)


@pytest.fixture(scope="module")
def used():
    return truth(DRIVE_S, seed=3)


def method(result: FuelAnalysis, name: str):
    return next(part for part in result.methods if part.method == name)


def steady(seconds: float = 600.0, kmh: float = 90.0, **signals: float):
    """A drive in which nothing changes, so that every figure can be worked out by hand."""
    units = {
        "rpm": "rpm",
        "maf": "g/s",
        "fuel_rate": "L/h",
        "coolant_temp": "°C",
        "engine_fuel_rate_mass": "g/s",
    }
    times_s = np.arange(0.0, seconds + 0.5, 0.5)
    values = {"speed": kmh, "rpm": 2200.0, "coolant_temp": 90.0, **signals}
    return table_of(
        {
            n: (units.get(n, "km/h" if n == "speed" else "%"), times_s, np.full(times_s.size, v))
            for n, v in values.items()
        }
    )


def test_a_steady_drive_gives_the_figures_worked_out_by_hand():
    result = analyze_fuel(steady(fuel_rate=6.0), fuel_type="gasoline")
    assert result.method == "ecu_fuel_rate"
    assert result.fuel_l.value == pytest.approx(1.0, rel=1e-3)
    assert result.distance_km.value == pytest.approx(15.0, rel=1e-3)
    assert result.l_per_100km.value == pytest.approx(6.667, rel=1e-3)
    assert result.mpg_us.value == pytest.approx(235.2146 / 6.667, rel=1e-3)
    assert result.mpg_imp.value == pytest.approx(282.4809 / 6.667, rel=1e-3)
    assert result.co2_kg.value == pytest.approx(2.348, rel=1e-3)
    assert result.co2_g_per_km.value == pytest.approx(156.5, rel=1e-3)
    assert result.fuel_l.low == pytest.approx(0.95, rel=1e-3)
    assert result.fuel_l.high == pytest.approx(1.05, rel=1e-3)


def test_air_mass_agrees_with_the_formula_for_miles_per_gallon_known_from_the_workshop():
    result = analyze_fuel(steady(maf=10.0), fuel_type="gasoline")
    workshop_mpg = 7.107 * 90.0 / 10.0
    assert result.method == "maf"
    assert result.mpg_us.value == pytest.approx(workshop_mpg, rel=0.01)


@pytest.mark.parametrize("left_out", [(), ECU, (*ECU, "maf", "absolute_load"), (*ECU, "maf")])
def test_every_method_holds_the_simulated_cars_true_fuel_within_its_interval(drive, used, left_out):
    result = analyze_fuel(without(drive, *left_out), displacement_l=2.0)
    assert result.fuel_type == "gasoline"
    assert "PID 51" in result.fuel_type_from
    assert result.fuel_l.low < used["fuel_l"] < result.fuel_l.high
    assert abs(result.distance_km.value / used["km"] - 1) < 0.015


def test_lambda_and_fuel_cut_together_are_right_to_three_per_cent(drive, used):
    result = analyze_fuel(without(drive, *ECU))
    assert result.method == "maf"
    assert result.fuel_l.value == pytest.approx(used["fuel_l"], rel=0.03)
    assert any("commanded_equiv_ratio" in said for said in method(result, "maf").assumptions)


def test_without_lambda_no_fuel_cut_is_taken_away_and_the_share_in_overrun_is_named(drive, used):
    result = analyze_fuel(without(drive, *ECU, "commanded_equiv_ratio", "o2_s1_wr_current_lambda"))
    said = " ".join(method(result, "maf").assumptions)
    assert "no fuel cut taken away" in said
    assert "passed in overrun" in said
    assert result.fuel_l.value == pytest.approx(used["fuel_l"], rel=0.1)


def test_a_lambda_that_reads_zero_throughout_is_no_lambda(drive):
    dead = changed(drive, "commanded_equiv_ratio", np.zeros(len(drive["commanded_equiv_ratio"])))
    result = analyze_fuel(without(dead, *ECU, "o2_s1_wr_current_lambda"))
    assert "lambda is not known" in " ".join(method(result, "maf").assumptions)


def test_idling_counts_and_is_told_apart(drive, used):
    result = analyze_fuel(drive)
    assert result.idle_fuel_l.value == pytest.approx(used["idle_l"], rel=0.08)
    assert result.fuel_l.value > result.idle_fuel_l.value


def test_economy_is_distance_over_fuel_and_no_mean_of_instantaneous_figures(drive):
    result = analyze_fuel(drive)
    rate, speed = drive["fuel_rate"].values, drive["speed"].values
    moving = speed > 5
    instantaneous = float(np.mean(100 * rate[moving] / speed[moving]))
    assert result.l_per_100km.value == pytest.approx(
        100 * result.fuel_l.value / result.distance_km.value, rel=1e-6
    )
    assert abs(result.l_per_100km.value / instantaneous - 1) > 0.1


def test_segments_add_up_to_the_drive(drive):
    result = analyze_fuel(drive)
    assert {part.kind for part in result.segments} >= {"city", "highway"}
    assert sum(part.fuel_l.value for part in result.segments) == pytest.approx(result.fuel_l.value, rel=0.01)
    by_kind = {part.kind: part.l_per_100km.value for part in result.segments}
    assert by_kind["city"] > by_kind["highway"]


def test_without_a_fuel_type_air_gives_no_litres_and_the_question_says_what_to_answer(drive):
    result = analyze_fuel(without(drive, *ECU, "fuel_type"), displacement_l=2.0)
    assert result.fuel_l.kind == "absent"
    assert "Give fuel_type" in result.question
    assert "Give fuel_type" in result.fuel_l.reason
    assert result.distance_km.value > 10


def test_without_a_fuel_type_the_ecus_litres_stand_but_carbon_dioxide_is_absent(drive):
    result = analyze_fuel(without(drive, "fuel_type"))
    assert result.fuel_l.kind == "derived"
    assert result.l_per_100km.kind == "derived"
    assert result.co2_kg.kind == "absent"
    assert result.question is not None


def test_the_petrol_formula_is_refused_by_name_for_a_diesel():
    result = analyze_fuel(leon("2017-07-26_Seat_Leon_S_KA_Normal"), fuel_type="diesel")
    assert result.fuel_l.kind == "absent"
    assert "petrol formula" in method(result, "maf").reason
    assert "PID 24 or 34" in method(result, "maf").reason
    assert result.distance_km.value > 20


def test_a_diesel_with_measured_lambda_uses_its_own_method():
    table = steady(maf=30.0, o2_s1_wr_current_lambda=1.5)
    result = analyze_fuel(table, fuel_type="diesel")
    assert result.method == "maf"
    assert result.fuel_kg.value == pytest.approx(30.0 / (14.5 * 1.5) * 600 / 1000, rel=1e-3)
    assert result.fuel_l.value == pytest.approx(result.fuel_kg.value / 0.848, rel=1e-3)


def test_a_diesel_with_torque_gets_a_figure_of_low_confidence():
    table = steady(engine_torque_actual=40.0, engine_reference_torque=300.0)
    result = analyze_fuel(table, fuel_type="diesel")
    assert result.method == "engine_torque"
    assert "low confidence" in method(result, "engine_torque").source
    assert result.fuel_l.high / result.fuel_l.value == pytest.approx(1.25, rel=1e-6)


def test_an_electric_car_is_refused_by_name():
    result = analyze_fuel(steady(maf=5.0), fuel_type="electric")
    assert "electric car burns no fuel" in result.fuel_l.reason
    assert result.method is None


def test_a_hybrid_without_its_engines_fuel_is_a_question_and_with_it_an_answer():
    asked = analyze_fuel(steady(maf=5.0), fuel_type="hybrid")
    assert "hybrid_gasoline" in asked.question
    assert asked.fuel_l.kind == "absent"
    told = analyze_fuel(steady(maf=5.0), fuel_type="hybrid_gasoline")
    assert told.fuel_l.kind == "derived"
    assert any("battery" in note for note in told.notes)


def test_natural_gas_is_told_by_the_kilogram():
    result = analyze_fuel(steady(maf=17.2), fuel_type="cng")
    assert result.fuel_kg.value == pytest.approx(0.6, rel=1e-3)
    assert "kilogram" in result.fuel_l.reason
    assert "kilogram" in result.l_per_100km.reason
    assert result.co2_kg.value == pytest.approx(0.6 * 2.744, rel=1e-3)


@pytest.mark.parametrize(("fuel", "more"), [("e10", 1.03), ("e85", 1.4), ("ethanol", 1.53), ("lpg", 1.38)])
def test_other_fuels_take_more_litres_for_the_same_air(fuel, more):
    petrol = analyze_fuel(steady(maf=10.0), fuel_type="gasoline")
    other = analyze_fuel(steady(maf=10.0), fuel_type=fuel)
    assert other.fuel_l.value / petrol.fuel_l.value == pytest.approx(more, rel=0.06)


def test_a_measured_blend_decides_what_a_flexible_fuel_car_burns():
    table = steady(maf=10.0, ethanol_percent=85.0)
    measured = analyze_fuel(table, fuel_type="flex")
    assert measured.fuel_l.value == pytest.approx(analyze_fuel(table, fuel_type="e85").fuel_l.value)
    assert "ethanol_percent" in analyze_fuel(steady(maf=10.0), fuel_type="flex").question


def test_large_trims_are_shown_both_ways():
    table = steady(maf=10.0, short_fuel_trim_1=2.0, long_fuel_trim_1=10.0)
    air = method(analyze_fuel(table, fuel_type="gasoline"), "maf")
    assert air.trim.value == pytest.approx(12.0)
    assert air.fuel_l_with_trims.value == pytest.approx(1.12 * air.fuel_l.value)
    small = steady(maf=10.0, short_fuel_trim_1=1.0, long_fuel_trim_1=2.0)
    assert method(analyze_fuel(small, fuel_type="gasoline"), "maf").fuel_l_with_trims is None


def test_a_fill_up_corrects_the_method_and_narrows_its_interval():
    table = steady(seconds=12 * 3600.0, maf=10.0)
    plain = analyze_fuel(table, fuel_type="gasoline")
    pumped = FillUp(litres=1.08 * plain.fuel_l.value, distance_km=plain.distance_km.value)
    corrected = analyze_fuel(table, fuel_type="gasoline", fill_ups=[pumped])
    assert corrected.fuel_l.value == pytest.approx(pumped.litres, rel=1e-6)
    assert method(corrected, "maf").calibration.factor == pytest.approx(1.08)
    assert method(corrected, "maf").uncertainty_percent < method(plain, "maf").uncertainty_percent


def test_a_fill_up_that_contradicts_the_method_wildly_corrects_nothing():
    table = steady(maf=10.0)
    result = analyze_fuel(
        table, fuel_type="gasoline", fill_ups=[FillUp(litres=90, estimated_l=40, method="maf")]
    )
    assert method(result, "maf").calibration is None
    assert any("too far for a correction" in note for note in result.notes)


def test_a_fill_up_of_another_stretch_is_left_out_and_says_so():
    result = analyze_fuel(
        steady(maf=10.0), fuel_type="gasoline", fill_ups=[FillUp(litres=40, distance_km=600)]
    )
    assert any("not used for calibration" in note for note in result.notes)


def test_litres_of_long_stops_are_advice(drive):
    times_s = np.arange(0.0, 900.0, 0.5)
    standing = (times_s > 300) & (times_s < 600)
    table = table_of(
        {
            "speed": ("km/h", times_s, np.where(standing, 0.0, 50.0)),
            "rpm": ("rpm", times_s, np.where(standing, 750.0, 1800.0)),
            "fuel_rate": ("L/h", times_s, np.where(standing, 0.72, 4.0)),
        }
    )
    result = analyze_fuel(table, fuel_type="gasoline")
    idling = next(part for part in result.advice if part.rule == "idling")
    assert idling.litres.value == pytest.approx(0.72 * 289.5 / 3600, rel=0.01)
    assert idling.evidence[0].start_s == pytest.approx(300, abs=1)
    assert not [part for part in analyze_fuel(drive).advice if part.rule == "idling"]


def test_the_label_is_compared_where_the_caller_gives_it(drive):
    label = LabelFigures(combined_l_per_100km=7.0, city_l_per_100km=9.0, source="EPA table")
    result = analyze_fuel(drive, label=label)
    assert [part.figure for part in result.label] == ["combined", "city"]
    assert result.label[0].ratio.value == pytest.approx(result.l_per_100km.value / 7.0)
    assert "EPA table" in result.label[0].label.method


def test_a_car_that_reports_another_fuel_is_a_finding(drive):
    result = analyze_fuel(drive, fuel_type="diesel")
    assert [found.rule for found in result.findings if found.rule == "fuel-type-differs"]
    assert not [f for f in analyze_fuel(drive, fuel_type="e10").findings if f.rule == "fuel-type-differs"]


def test_the_vehicles_facts_are_used_and_the_request_goes_before_them(drive):
    facts = VehicleFacts(fuel_type="e10", displacement_l=2.0)
    saved = analyze_fuel(without(drive, *ECU, "maf", "absolute_load"), vehicle=facts)
    assert (saved.fuel_type, saved.fuel_type_from) == ("e10", "saved with the vehicle")
    assert saved.method == "speed_density"
    smaller = analyze_fuel(
        without(drive, *ECU, "maf", "absolute_load"), vehicle=facts, fuel_type="gasoline", displacement_l=1.0
    )
    assert smaller.fuel_l.value < 0.6 * saved.fuel_l.value


def test_a_real_car_without_air_mass_is_told_by_speed_density():
    result = analyze_fuel(etios("live16"), fuel_type="e10", displacement_l=1.496)
    assert result.method == "speed_density"
    assert 5.0 < result.l_per_100km.value < 9.0
    assert result.fuel_l.high / result.fuel_l.value == pytest.approx(1.2, rel=1e-6)
    assert any("assumed, nobody gave one" in said for said in method(result, "speed_density").assumptions)


def test_neither_the_clocks_start_nor_the_order_of_signals_changes_the_answer(drive):
    plain = analyze_fuel(drive, displacement_l=2.0)
    moved = analyze_fuel(shifted(drive, 12345.678), displacement_l=2.0)
    turned = analyze_fuel(only(drive, *reversed(list(drive))), displacement_l=2.0)
    for other in (moved, turned):
        assert other.fuel_l.value == pytest.approx(plain.fuel_l.value, rel=1e-3)
        assert other.l_per_100km.value == pytest.approx(plain.l_per_100km.value, rel=1e-3)
        assert [part.kind for part in other.segments] == [part.kind for part in plain.segments]


def test_an_interval_at_95_per_cent_holds_the_truth_as_often_when_air_and_speed_err_as_published():
    rng = np.random.default_rng(7)
    held = {"l": 0, "rate": 0}
    for _ in range(400):
        maf = 10.0 * (1 + 0.10 / 1.96 * rng.standard_normal())
        kmh = 90.0 * (1 + (0.015 + 0.5 / 90) / 1.96 * rng.standard_normal())
        result = analyze_fuel(steady(60.0, kmh, maf=maf), fuel_type="gasoline")
        litres = 10.0 * 60 / 14.7 / 745
        held["l"] += result.fuel_l.low <= litres <= result.fuel_l.high
        held["rate"] += result.l_per_100km.low <= 100 * litres / 1.5 <= result.l_per_100km.high
    assert 0.92 <= held["l"] / 400 <= 0.98
    assert 0.92 <= held["rate"] / 400 <= 0.98


def test_a_lower_confidence_level_gives_a_narrower_interval(drive):
    wide = analyze_fuel(drive, confidence_level=0.95).fuel_l
    narrow = analyze_fuel(drive, confidence_level=0.68).fuel_l
    assert (narrow.high - narrow.low) / (wide.high - wide.low) == pytest.approx(0.507, abs=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fuel_type": "kerosene"},
        {"confidence_level": 1.2},
        {"displacement_l": 900.0},
        {"volumetric_efficiency": 9.0},
    ],
)
def test_impossible_arguments_are_refused_with_what_is_allowed(drive, wrong):
    with pytest.raises(UnknownChoiceError) as refused:
        analyze_fuel(drive, **wrong)
    assert refused.value.hint


def test_a_recording_without_anything_about_fuel_says_so_per_method():
    table = only(steady(), "speed", "rpm", "coolant_temp")
    result = analyze_fuel(table, fuel_type="gasoline")
    assert result.fuel_l.kind == "absent"
    assert {part.method for part in result.methods if not part.usable} >= {
        "maf",
        "speed_density",
        "ecu_fuel_rate",
    }
