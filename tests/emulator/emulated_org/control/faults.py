"""Faults that tests arm: calls that hang, fail, lose their connection or are late."""
from typing import Mapping

from ..state.faults import AFTER, BEFORE, Fault
from .door import Door, NotThere, Routes

FIELDS = ("service", "operation", "account", "region", "access_key_id")
KINDS = "a fault's action is one of hang, error, disconnect, partial, delay"


class Faults(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "faults"): self._arm,
            ("GET", "faults/*/reached"): self._reached,
            ("DELETE", "faults/*"): self._remove,
        }

    def _arm(self, request: Mapping) -> dict:
        fault = _fault_of_request(request)
        self._world.faults.arm(fault)
        return {"name": fault.name}

    def _reached(self, request: Mapping) -> dict:
        return {"reached": self._named(request).reached.wait(float(request.get("timeout", 20)))}

    def _remove(self, request: Mapping) -> dict:
        self._world.faults.remove(self._named(request).name)
        return {}

    def _named(self, request: Mapping) -> Fault:
        fault = self._world.faults.get(request["name"])
        if fault is None:
            raise NotThere(f"there is no fault {request['name']}")
        return fault


def _fault_of_request(body: Mapping) -> Fault:
    name, match, action = body.get("name"), body.get("match"), body.get("action")
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError("a fault needs a name without slashes")
    if not isinstance(match, dict) or not {"operation", "service"} & set(match):
        raise ValueError("a fault's match needs an operation or a service")
    unknown = set(match) - set(FIELDS)
    if unknown:
        raise ValueError(f"unknown fields in match: {sorted(unknown)}")
    when = body.get("when", BEFORE)
    if when not in (BEFORE, AFTER):
        raise ValueError("when is before or after")
    _check_action(action)
    if "partial" in action and (when != BEFORE or not _has_entries(str(match.get("operation")))):
        raise ValueError("partial applies to PutEvents and operations with Batch in their names, before their effect")
    times = body.get("times", 1)
    if not isinstance(times, int) or times < 0:
        raise ValueError("times is a number, 0 for always")
    return Fault(name, match, when, action, times or None)


def _has_entries(operation: str) -> bool:
    named = ("PutEvents", "BatchImportFindings", "BatchUpdateFindings", "BatchGetItem")
    return operation.endswith("Batch") or operation in named


def _check_action(action) -> None:
    if not isinstance(action, dict) or len(action) != 1:
        raise ValueError(KINDS)
    (kind, value), = action.items()
    if kind in ("hang", "disconnect"):
        if value is not True:
            raise ValueError(f"{kind} is true")
    elif kind == "partial":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError("partial is the number of entries that fail")
    elif kind == "error":
        if not isinstance(value, dict) or not isinstance(value.get("status"), int) or "code" not in value:
            raise ValueError("an error has a status, a code and a message")
    elif kind == "delay":
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 60:
            raise ValueError("delay is in seconds, 60 at most")
    else:
        raise ValueError(KINDS)
