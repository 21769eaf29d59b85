"""Whom an ELM327 asks and whom it listens to: header, receive filter, flow control."""

from __future__ import annotations

from vehicle.elm327.protocols import Family, Target, target_of
from vehicle.links.prompt_line import PromptLine

ANYBODY = {Family.CAN11: "7DF", Family.CAN29: "DB33F1"}
COMMAND_S = 1.0


class Aim:
    """What the adapter is known to be set to; commands are sent only where that must change."""

    def __init__(self) -> None:
        self.touched = False
        self._target: Target | None = None
        self._known = False

    def reset(self) -> None:
        """Note that the adapter has its defaults, which address everybody."""
        self._target, self._known, self.touched = None, True, False

    def doubt(self) -> None:
        """Note that what the adapter is set to is not certain any more."""
        self._known = False

    def at(self, line: PromptLine, ecu: str, family: Family | None) -> bool:
        """Aim at one ECU, or at all of them where `ecu` is empty; False where the adapter does not answer.

        Outside CAN everybody is asked, and answers are told apart by their source.
        """
        if family not in ANYBODY:
            return True
        target = target_of(ecu)
        if self._known and target == self._target:
            return True
        commands = self._commands(target, ANYBODY[family])
        self._known, self.touched = False, True
        for command in commands:
            answer = line.talk(command, COMMAND_S)
            if answer is None:
                return False
            if "?" in answer and command == "ATCRA":
                line.talk("ATAR", COMMAND_S)
        self._target, self._known = target, True
        return True

    def _commands(self, target: Target | None, anybody: str) -> list[str]:
        custom = self._target is not None and not self._target.usual
        if target is None:
            return [f"ATSH{anybody}", "ATCRA", *(["ATFCSM0"] if custom else [])]
        commands = [f"ATSH{target.transmit[-6:]}", f"ATCRA{target.receive}"]
        if not target.usual:
            return [*commands, f"ATFCSH{target.transmit}", "ATFCSD300000", "ATFCSM1"]
        return [*commands, *(["ATFCSM0"] if custom else [])]
