"""The emulator itself: its clock, its call log, what it deviates in, and whether it is there."""
from typing import Mapping

from .door import Door, Routes


class Emulator(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("GET", "health"): lambda request: {"ok": True},
            ("GET", "calls"): self._list_calls,
            ("DELETE", "calls"): self._clear_calls,
            ("GET", "clock"): self._show_clock,
            ("POST", "clock"): self._advance_clock,
            ("GET", "switches"): self._show_switches,
            ("POST", "switches"): self._set_switches,
            ("POST", "reset"): self._reset,
        }

    def _list_calls(self, request: Mapping) -> dict:
        return {"calls": self._world.calls.since(int(request.get("since", 0)))}

    def _clear_calls(self, request: Mapping) -> dict:
        self._world.calls.clear()
        return {}

    def _show_clock(self, request: Mapping) -> dict:
        clock = self._world.clock
        return {"now": clock.stamp(), "offset_seconds": clock.offset_seconds}

    def _advance_clock(self, request: Mapping) -> dict:
        self._world.clock.advance(float(request["advance_seconds"]))
        return self._show_clock(request)

    def _show_switches(self, request: Mapping) -> dict:
        return self._world.switches.as_dict()

    def _set_switches(self, request: Mapping) -> dict:
        with self._world.lock:
            self._world.switches.update(dict(request))
            return self._world.switches.as_dict()

    def _reset(self, request: Mapping) -> dict:
        self._world.reset()
        return {}
