"""Faults that tests arm: calls that hang, fail or lose their connection."""
import threading
from dataclasses import dataclass, field
from typing import Callable, Dict, Mapping, Optional, Tuple

BEFORE, AFTER = "before", "after"
FIELDS = ("service", "operation", "account", "region")
# How often a hanging call looks whether its client is still there.
POLL_SECONDS = 0.02


@dataclass
class Fault:
    name: str
    match: Mapping[str, str]
    when: str
    action: Mapping
    remaining: Optional[int]
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def parse(cls, body: Mapping) -> "Fault":
        name, match, action = body.get("name"), body.get("match"), body.get("action")
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError("a fault needs a name without slashes")
        if not isinstance(match, dict) or "operation" not in match:
            raise ValueError("a fault's match needs an operation")
        unknown = set(match) - set(FIELDS)
        if unknown:
            raise ValueError(f"unknown fields in match: {sorted(unknown)}")
        when = body.get("when", BEFORE)
        if when not in (BEFORE, AFTER):
            raise ValueError("when is before or after")
        _check_action(action)
        if "partial" in action and (when != BEFORE or not _has_entries(str(match["operation"]))):
            raise ValueError("partial applies to batch operations, PutEvents and BatchImportFindings, before their effect")
        times = body.get("times", 1)
        if not isinstance(times, int) or times < 0:
            raise ValueError("times is a number, 0 for always")
        return cls(name, match, when, action, times or None)

    def applies(self, subject: Mapping[str, Tuple[str, ...]], when: str) -> bool:
        if self.when != when or self.remaining == 0 or self.released.is_set():
            return False
        return all(wanted in subject[name] for name, wanted in self.match.items())


class ClientGone(Exception):
    """The client closed its connection while a fault held its call."""


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: Dict[str, Fault] = {}

    def arm(self, fault: Fault) -> None:
        with self._lock:
            replaced = self._faults.get(fault.name)
            self._faults[fault.name] = fault
        if replaced:
            replaced.released.set()

    def get(self, name: str) -> Optional[Fault]:
        with self._lock:
            return self._faults.get(name)

    def remove(self, name: str) -> bool:
        with self._lock:
            fault = self._faults.pop(name, None)
        if fault:
            fault.released.set()
        return fault is not None

    def reset(self) -> None:
        with self._lock:
            names = list(self._faults)
        for name in names:
            self.remove(name)

    def take(self, subject: Mapping[str, Tuple[str, ...]], when: str) -> Optional[Fault]:
        """The first armed fault for this call, with one of its times used up."""
        with self._lock:
            fault = next((fault for fault in self._faults.values() if fault.applies(subject, when)), None)
            if fault and fault.remaining is not None:
                fault.remaining -= 1
        if fault:
            fault.reached.set()
        return fault


def hang(fault: Fault, client_is_gone: Callable[[], bool]) -> None:
    """Returns when the fault is removed; raises ClientGone when nobody waits any more.

    A client killed meanwhile must not see its call take effect afterwards.
    """
    while not fault.released.wait(POLL_SECONDS):
        if client_is_gone():
            raise ClientGone
    if client_is_gone():
        raise ClientGone


def _has_entries(operation: str) -> bool:
    return operation.endswith("Batch") or operation in ("PutEvents", "BatchImportFindings")


def _check_action(action) -> None:
    if not isinstance(action, dict) or len(action) != 1:
        raise ValueError("a fault's action is one of hang, error, disconnect, partial")
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
    else:
        raise ValueError("a fault's action is one of hang, error, disconnect, partial")
