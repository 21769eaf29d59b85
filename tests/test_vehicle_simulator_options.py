import subprocess
import sys

import pytest

from vehicle.errors import BadAddressError
from vehicle.simulator import SimulatorOptions, parse_simulator


def test_an_address_without_anything_is_a_healthy_petrol_car():
    assert (
        parse_simulator("petrol")
        == parse_simulator("sim:petrol")
        == parse_simulator("")
        == SimulatorOptions()
    )


def test_every_key_is_read_in_its_own_type():
    options = parse_simulator(
        "sim:demo?fault=vacuum_leak&severity=0.5&fault_at=120&seed=7&warm=1&gears=5&gearbox=manual&clone=hang"
        "&baud=38400&ecu_ms=10&wait_ms=40&padding=off&misbehave=slow:1.5@3*2,no_data&vin=1HGCM82633A004352"
    )
    assert (options.name, options.speedup) == ("demo", 20.0)
    assert (options.fault, options.severity, options.fault_at) == ("vacuum_leak", 0.5, 120.0)
    assert (options.seed, options.warm, options.gears, options.gearbox) == (7, True, 5, "manual")
    assert (options.clone, options.baud, options.padding) == ("hang", 38400, "off")
    assert parse_simulator("demo?speedup=2").speedup == 2.0


@pytest.mark.parametrize(
    ("address", "says", "allows"),
    [
        ("petrl", "Did you mean petrol?", "petrol, demo"),
        ("petrol?falt=misfire", "Did you mean fault?", "severity"),
        ("petrol?fault=vacum_leak", "Did you mean vacuum_leak?", "o2_lazy"),
        ("petrol?cycle=town", "cycle 'town'", "mixed, city, highway, idle"),
        ("petrol?severity=2", "severity=2.0 is outside 0 to 1", "sim:petrol?"),
        ("petrol?severity=much", "severity=much is not understood", "sim:petrol?"),
        ("petrol?speedup=1e9", "speedup", "sim:petrol?"),
        ("petrol?warm=maybe", "warm=maybe", "sim:petrol?"),
        ("petrol?gears=7", "gears '7'", "5, 6"),
        ("petrol?padding=XYZ", "padding=XYZ is no byte", "two hex digits"),
        ("petrol?misbehave=slwo", "Did you mean slow?", "no_data"),
        ("petrol?misbehave=slow:", "misbehave=slow:", "KIND[:VALUE]"),
        ("petrol?vin=1HGCM82643A004352", "is no VIN as a car sends it", "check digit"),
        ("petrol?warm", "cannot be read", "sim:petrol?"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(address, says, allows):
    with pytest.raises(BadAddressError) as caught:
        parse_simulator(address)
    assert says in caught.value.message
    assert allows in caught.value.hint
    assert caught.value.code == "bad_arguments"


def test_a_nonsense_vin_is_refused_as_such():
    with pytest.raises(BadAddressError, match="17 characters"):
        parse_simulator("petrol?vin=QQQ")


def test_importing_the_simulator_loads_no_heavy_library():
    heavy = ("numpy", "pydantic", "pandas", "serial", "obd")
    code = f"import sys, vehicle.simulator; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
