"""A recorded session as a way to a car: its values come back at their times, as answers to ordinary requests.

Bytes and not values travel, so that everything above (batches, decoding, gaps, readiness) runs as with a real car.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from vehicle.elm327.outcomes import Answer, NoData, Reply
from vehicle.errors import BadAddressError
from vehicle.links.conversation import Conversation, Patience
from vehicle.links.link import LinkInfo
from vehicle.links.recording import Recording, Track
from vehicle.links.replay_address import ReplayAddress, parse_replay
from vehicle.links.replay_codes import answer_codes
from vehicle.links.replay_offer import VOLTAGE, Part, bitmap, held, offer
from vehicle.poller.support import BITMAPS
from vehicle.signals import NotEncodableError

CURRENT = 0x01
# A question asked again waits for what the recording has next, this long at most, so that others get their turn.
LONGEST_WAIT_S = 0.5
_PATIENCE_PERIODS = 1.5
_AFTERWARDS_S = 0.0005
_NEVER_US = float("-inf")
_NOTHING = Part(())


class Playback:
    """Where a replay stands. It begins with the first look and goes on whether anybody asks or not."""

    def __init__(self, recording: Recording, address: ReplayAddress) -> None:
        given = address.from_s
        self.begin_us = recording.first_us if given is None else round(given * 1e6)
        self.speed = address.speed
        self._round_us = recording.last_us - self.begin_us + max(recording.shortest_period_us, 1.0)
        self._loop = address.loop
        self._began_s: float | None = None

    def begin(self) -> None:
        """Start to play, once."""
        if self._began_s is None:
            self._began_s = time.monotonic()

    def position(self) -> tuple[int, float]:
        """Return which round is played, and the place in the recording in microseconds."""
        played_us = (time.monotonic() - (self._began_s or time.monotonic())) * self.speed * 1e6
        if not self._loop:
            return 0, self.begin_us + played_us
        rounds, place_us = divmod(played_us, self._round_us)
        return int(rounds), self.begin_us + place_us

    def clock_s(self, at_us: float) -> float:
        """Return when, by the monotonic clock, the place was or will be played in the present round."""
        _, now_us = self.position()
        return time.monotonic() + (at_us - now_us) / self.speed / 1e6


class Replay(Conversation):
    """Answers from a recording; it takes no commands and nothing can be changed in it."""

    look_pauses_s = (0.05, 0.05)

    def __init__(self, text: str, recording: Recording) -> None:
        address = parse_replay(text)
        self._recording = recording
        self._playback = Playback(recording, address)
        if address.from_s is not None and self._playback.begin_us > recording.last_us:
            raise BadAddressError(
                f"{text!r}: {recording.name} ends at {recording.last_us / 1e6:.1f} s.",
                "Give from_s smaller than that, in seconds since the session's start.",
            )
        self._offered, self.withheld = offer(recording)
        self.info = LinkInfo(
            text, adapter=f"recording {recording.name}, no adapter", ecus=tuple(recording.tracks)
        )
        periods_s = _PATIENCE_PERIODS * recording.shortest_period_us / address.speed / 1e6
        self._wait_s = min(periods_s or LONGEST_WAIT_S, LONGEST_WAIT_S)
        self._told: dict[tuple[bytes, str], tuple[int, float]] = {}

    def connect(self) -> None:
        """Begin to play."""
        self._playback.begin()

    def find_car(self, until_s: float) -> str:
        """Say why nothing was recorded at this moment; empty where something was."""
        return self._recording.silence(self._playback.position()[1])

    def ask(self, payload: bytes, ecu: str, until_s: float, patience: Patience) -> Reply:
        """Answer with what was recorded; a moment of silence, and what was never recorded, is no data."""
        began_s = time.monotonic()
        ecus = [name for name in self._offered if ecu in ("", name)]
        if payload[:1] == bytes([CURRENT]):
            taken_s, answers, why = self._current(payload, ecu, ecus, until_s)
        else:
            taken_s, (answers, why) = began_s, answer_codes(self._recording, payload, ecu)
        return Reply(
            payload,
            tuple(answers),
            trouble=None if answers else NoData(why),
            lines=len(answers),
            sent_s=max(began_s, taken_s),
            received_s=time.monotonic(),
        )

    def _current(
        self, payload: bytes, ecu: str, ecus: Sequence[str], until_s: float
    ) -> tuple[float, list[Answer], str]:
        """Answer service 01; returns when the newest value was taken, the answers, and why there are none."""
        pids = payload[1:]
        tracks = [
            track for name in ecus for pid in pids for track in self._offered[name].get(pid, _NOTHING).tracks
        ]
        if tracks:
            self._wait_for_news((payload, ecu), tracks, until_s)
        played, at_us = self._playback.position()
        if silence := self._recording.silence(at_us):
            return 0.0, [], silence
        newest_us = max((_taken_us(track, at_us) for track in tracks), default=_NEVER_US)
        self._told[payload, ecu] = (played, newest_us)
        answers = []
        for name in ecus:
            if parts := b"".join(self._part(name, pid, at_us) for pid in pids):
                answers.append(Answer(name, bytes([0x40 + CURRENT]) + parts))
        taken_s = min(self._playback.clock_s(newest_us), time.monotonic()) if tracks else 0.0
        return taken_s, answers, self._why_not(pids, bool(tracks))

    def _wait_for_news(self, question: tuple[bytes, str], tracks: Sequence[Track], until_s: float) -> None:
        """Wait a little for a reading that is about to come, where none holds or the same was told before."""
        played, at_us = self._playback.position()
        newest_us = max(_taken_us(track, at_us) for track in tracks)
        next_s = (min(track.next_us(at_us) for track in tracks) - at_us) / self._playback.speed / 1e6
        if newest_us == _NEVER_US:
            wait_s = next_s if next_s <= LONGEST_WAIT_S else 0.0
        elif (played, newest_us) <= self._told.get(question, (-1, _NEVER_US)):
            wait_s = min(next_s, self._wait_s)
        else:
            return
        time.sleep(max(0.0, min(wait_s + _AFTERWARDS_S, until_s - time.monotonic())))

    def _part(self, ecu: str, pid: int, at_us: float) -> bytes:
        """Return what one ECU says of one parameter, its number first; nothing where it has nothing to say now."""
        offered = self._offered[ecu]
        if pid in BITMAPS:
            marks = bitmap(tuple(offered), pid)
            return b"" if marks is None else bytes([pid]) + marks
        try:
            data = offered.get(pid, _NOTHING).encoded(pid, at_us)
        except NotEncodableError:  # a part of it is not known now, and bytes cannot leave it out
            return b""
        return bytes([pid]) + data if data else b""

    def _why_not(self, pids: bytes, recorded: bool) -> str:
        numbers = ", ".join(f"{pid:02X}" for pid in pids)
        if recorded:
            return f"{self._recording.name} has no value of PID {numbers} at this moment"
        return f"PID {numbers} is not in {self._recording.name}, or cannot be told from it"

    def command(self, text: str, until_s: float) -> str | None:
        """Tell the recorded voltage of the adapter; there is no adapter to take any other command."""
        if text.strip().upper() != "ATRV":
            return None
        _, at_us = self._playback.position()
        for tracks in self._recording.tracks.values():
            values = held([tracks[VOLTAGE]] if VOLTAGE in tracks else [], at_us)
            if values:
                return f"{values[VOLTAGE]:.4f}V"
        return None

    def recover(self) -> bool:
        """Nothing can get out of step."""
        return True

    def set_up_again(self) -> None:
        """Nothing is set up."""

    def disconnect(self) -> None:
        """Nothing is open; the replay plays on."""


def _taken_us(track: Track, at_us: float) -> float:
    place = track.place(at_us)
    return _NEVER_US if place is None else track.times_us[place]


def replay_at(address: str) -> Conversation:
    """Refuse: whoever opens a replay brings its recording along, as `open_link(conversation=Replay(…))`."""
    raise BadAddressError(
        f"{address!r}: the recorded session was not brought along.",
        "Replay it with a tool, which has the store.",
    )
