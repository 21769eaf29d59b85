"""One request from adapter to car and the lines that come back, with everything that may go wrong there."""

from collections.abc import Generator, Iterator
from random import Random

from vehicle.simulator.ecus.bus import CAN_BITS, Bus, Reply
from vehicle.simulator.elm.events import Event, Send, Wait
from vehicle.simulator.elm.frames import Display, can_lines, identifier, legacy_lines
from vehicle.simulator.elm.isotp import segment
from vehicle.simulator.elm.settings import Settings

_FAILURES = {
    "no_data": "NO DATA",
    "can_error": "CAN ERROR",
    "bus_busy": "BUS BUSY",
    "unable_to_connect": "UNABLE TO CONNECT",
    "stopped": "STOPPED",
    "question": "?",
}
_FRAME_S = 0.00025  # a full frame at 500 kbit/s
_BROADCAST_ID = 0x7DF
_SLOW_INIT = "34"
_K_LINE = "345"


class Requester:
    """The car side of an adapter: opens the protocol, asks, and prints what arrives."""

    def __init__(self, bus: Bus, settings: Settings) -> None:
        options = bus.model.options
        self._bus = bus
        self._settings = settings
        self._ecu_s = options.ecu_ms / 1000.0
        self._wait_ms = options.wait_ms
        self._padding = None if options.padding == "off" else int(options.padding, 16)
        self._noise = Random(f"line {options.seed}")  # noqa: S311  # repeatable garbage, no secret
        self._before: list[str] = []

    def send(self, payload: bytes, expected: int, header: str = "") -> Iterator[Event]:
        """Send a request, wait for `expected` frames (0: until the bus is quiet), print the lines."""
        for kind, text in _FAILURES.items():
            if self._bus.misbehaviour.take(kind):
                self._settings.connected = self._settings.connected and kind != "unable_to_connect"
                yield Wait(self._ecu_s)
                yield self._line(text)
                return
        problem = yield from self._connect()
        if problem:
            yield self._line(problem)
            return
        if slow := self._bus.misbehaviour.take("slow"):
            yield Wait(slow.value)
        replies = self._disturb_replies(self._bus.ask(payload, self._address(header)), payload)
        yield Wait(self._on_the_bus_s(replies))
        if (late := self._bus.misbehaviour.take("pending")) and replies:
            waiting = Reply(replies[0].ecu, bytes([0x7F, payload[0], 0x78]))
            yield from self._print_all(self._format([waiting]))
            yield Wait(late.value)
        if self._settings.responses:
            yield from self._listen(self._disturb_lines(self._format(replies)), expected)

    def _on_the_bus_s(self, replies: list[Reply]) -> float:
        """Return the time from request to last frame: the unit's latency and, on CAN, the frames themselves."""
        if not self._ecu_s or self._bus.protocol not in CAN_BITS:
            return self._ecu_s
        counts = [len(segment(payload, self._padding)) for _, payload in replies]
        flow_controls = sum(count > 1 for count in counts)
        return self._ecu_s + (1 + sum(counts) + flow_controls) * _FRAME_S

    def _listen(self, lines: list[str], expected: int) -> Iterator[Event]:
        wait_s = self._settings.post_wait_s(self._wait_ms)
        if not lines:
            yield Wait(self._settings.timeout_steps * 0.004096 if self._wait_ms else 0.0)
            yield self._line("NO DATA")
            return
        if self._bus.misbehaviour.take("buffer_full"):
            lines = [*lines[: len(lines) // 2], "BUFFER FULL"]
        yield from self._print_all(lines[:expected] if expected else lines)
        if not expected or len(lines) < expected:
            yield Wait(wait_s)

    def _connect(self) -> Generator[Event, None, str]:
        """Open the protocol where it is not open; return the text of the failure, empty for success."""
        s, bus = self._settings, self._bus
        if s.connected:
            return "" if bus.awake else self._silence(s.protocol)
        if s.automatic:
            yield self._line("SEARCHING...")
            yield Wait(0.0)
            if not bus.awake:
                return "UNABLE TO CONNECT"
            s.protocol = bus.protocol
        elif s.protocol in _K_LINE:
            dots = "..." if s.protocol in _SLOW_INIT else ""
            yield Send(f"BUS INIT: {dots}".encode())
            if s.protocol != bus.protocol or not bus.awake:
                return "ERROR"
            yield self._line("OK")
        elif s.protocol != bus.protocol or not bus.awake:
            return self._silence(s.protocol)
        s.connected = True
        return ""

    @staticmethod
    def _silence(protocol: str) -> str:
        """Return what is printed where no unit is on the bus: on CAN nobody acknowledges the frame."""
        return "CAN ERROR" if protocol in CAN_BITS else "NO DATA"

    def _address(self, header: str) -> int | None:
        """Return the address of the one unit the header names; None for a broadcast."""
        header = header or self._settings.header
        bits = CAN_BITS.get(self._bus.protocol)
        if bits == 11 and header and int(header, 16) & 0x7FF != _BROADCAST_ID:
            return int(header, 16) & 0x7FF
        if bits == 29 and header[-6:-4] == "DA":
            return int(header[-4:-2], 16)
        return None

    def _format(self, replies: list[Reply]) -> list[str]:
        s = self._settings
        display = Display(s.headers, s.spaces, s.formatting, s.length, self._padding)
        bits = CAN_BITS.get(self._bus.protocol)
        by_unit: list[list[str]] = []
        for ecu, payload in replies:
            if not bits:
                by_unit.append(legacy_lines(ecu, payload, self._bus.protocol, display))
            elif s.receives(identifier(ecu, bits)):
                lines = can_lines(ecu, payload, bits, display)
                # without flow control a unit sends its first frame and no more
                first = lines if s.flow_control else lines[: 1 if s.headers or not s.formatting else 2]
                by_unit.append(first)
        if self._bus.misbehaviour.take("interleaved"):
            return _interleaved(by_unit)
        return [line for lines in by_unit for line in lines]

    def _disturb_replies(self, replies: list[Reply], payload: bytes) -> list[Reply]:
        tricks = self._bus.misbehaviour
        if refuse := tricks.take("refuse"):
            return [Reply(ecu, bytes([0x7F, payload[0], int(refuse.value)])) for ecu, _ in replies]
        if tricks.take("wrong_pid"):
            return [
                Reply(ecu, data[:1] + bytes([data[1] + 1 & 0xFF]) + data[2:])
                if len(data) > 1
                else Reply(ecu, data)
                for ecu, data in replies
            ]
        return replies

    def _disturb_lines(self, lines: list[str]) -> list[str]:
        tricks = self._bus.misbehaviour
        before, self._before = self._before, lines
        if tricks.take("stale_reply"):
            lines = before
        if tricks.take("lost_frame") and lines:
            lines = lines[:1] + lines[2:] if len(lines) > 1 else []
        if tricks.take("half_frame") and lines:
            lines = [*lines[:-1], lines[-1][: max(1, len(lines[-1]) // 2)]]
        if tricks.take("garbled"):
            lines = [self._garble(line) for line in lines]
        return lines

    def _garble(self, line: str) -> str:
        letters = list(line)
        for _ in range(max(1, len(letters) // 6)):
            letters[self._noise.randrange(len(letters))] = chr(
                self._noise.choice((0x07, 0x3F, 0x47, 0x7E, 0xFC))
            )
        return "".join(letters)

    def _print_all(self, lines: list[str]) -> Iterator[Event]:
        for line in lines:
            yield self._line(line)

    def _line(self, text: str) -> Send:
        end = "\r\n" if self._settings.linefeeds else "\r"
        return Send((text + end).encode("latin-1"))


def _interleaved(by_unit: list[list[str]]) -> list[str]:
    """Return the units' lines taken in turns, as two units sending at once arrive."""
    longest = max((len(lines) for lines in by_unit), default=0)
    return [lines[place] for place in range(longest) for lines in by_unit if place < len(lines)]
