"""Runs a simulated car: `python -m vehicle.simulator --port 35000 --fault vacuum_leak`."""

import argparse
import dataclasses
import sys
from urllib.parse import urlencode

from vehicle.errors import CarError
from vehicle.simulator.car import SimulatedCar
from vehicle.simulator.options import PRESETS, SimulatorOptions, parse_simulator


def main(arguments: list[str] | None = None) -> int:
    """Serve a car until interrupted; return 0, or 2 for a wrong option."""
    given = vars(_parser().parse_args(arguments))
    name, host, port, pty = (given.pop(key) for key in ("name", "host", "port", "pty"))
    chosen = {key: value for key, value in given.items() if value is not None}
    try:
        car = SimulatedCar(parse_simulator(f"{name}?{urlencode(chosen)}" if chosen else name))
        with car.serve_pty() if pty else car.serve_tcp(host, port) as address:
            where = address if isinstance(address, str) else address.url
            sys.stdout.write(f"{where}\n")
            sys.stdout.flush()
            _wait_for_ever()
    except CarError as error:
        sys.stderr.write(f"{error.message} {error.hint}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vehicle.simulator", description=main.__doc__)
    parser.add_argument("name", nargs="?", default="petrol", choices=list(PRESETS))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=35000)
    parser.add_argument("--pty", action="store_true", help="serve on a pseudo-terminal instead of TCP")
    for field in dataclasses.fields(SimulatorOptions):
        if field.name != "name":
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", dest=field.name, metavar=str(field.default)
            )
    return parser


def _wait_for_ever() -> None:
    from threading import Event

    try:
        Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


if __name__ == "__main__":
    sys.exit(main())
