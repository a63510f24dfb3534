"""Witnesses: whom they trust, what they have seen, how they fail."""
from typing import Mapping

from ..protocol.notes import vkey
from ..state.witnesses import FAULTS, NAME, PREFIX, Fault
from .door import Door, Routes


class Witnesses(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "witnesses"): self._change, ("GET", "witnesses"): self._describe}

    def _change(self, request: Mapping) -> dict:
        name, witnesses = _name(request), self._world.witnesses
        faults = [_fault(one) for one in request.get("faults", [])]
        with witnesses.lock:
            witness = witnesses.make(name)
            for log in request.get("logs", []):
                witness.logs.setdefault(log.split("+", 1)[0], []).append(log)
            if request.get("forgets"):
                witness.seen.clear()
            if "clock" in request:
                witness.clock = int(request["clock"])
            if "faults" in request:
                witness.faults.clear()
                witness.faults.extend(faults)
            return {"path": PREFIX + name, "key": vkey(name, witness.key)}

    def _describe(self, request: Mapping) -> dict:
        name, witnesses = _name(request), self._world.witnesses
        with witnesses.lock:
            witness = witnesses.make(name)
            seen = {origin: one.size for origin, one in witness.seen.items()}
            return {"key": vkey(name, witness.key), "seen": seen, "requests": list(witness.requests)}


def _name(request: Mapping) -> str:
    name = request["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("a witness's name has 1 to 100 letters, digits and ._~-")
    return name


def _fault(fault) -> Fault:
    fields = fault if isinstance(fault, dict) else {"what": fault}
    what = fields.get("what")
    is_status = isinstance(what, int) and not isinstance(what, bool) and 200 <= what <= 599
    if not (is_status or what in FAULTS) or not set(fields) <= {"what", "retry_after", "body", "content_type"}:
        raise ValueError(f"a fault is a status, one of {', '.join(FAULTS)}, or an object with `what`")
    return Fault(**fields)
