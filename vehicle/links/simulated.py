"""The simulated car as an adapter: served on a TCP port in this process, spoken to in real ELM327 bytes."""

from __future__ import annotations

from contextlib import ExitStack

from vehicle.links.elm327 import Elm327


class SimulatedElm327(Elm327):
    """An ELM327 conversation that brings its own car along."""

    def __init__(self, address: str) -> None:
        from vehicle.simulator import SimulatedCar

        self._car = SimulatedCar(address.removeprefix("sim:"))
        self._serving = ExitStack()
        super().__init__(address, "")

    def connect(self) -> None:
        """Serve the car at the first time, then connect like to any other adapter."""
        if not self._url:
            self._url = self._serving.enter_context(self._car.serve_tcp()).url
        super().connect()

    def end(self) -> None:
        """Stop serving the car."""
        self._serving.close()
        self._url = ""


def simulated_car(address: str) -> SimulatedElm327:
    """Make the driver for `sim:NAME?key=value`; raises BadAddressError naming what is allowed."""
    return SimulatedElm327(address)
