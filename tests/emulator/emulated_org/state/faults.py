"""Faults that tests arm: calls that hang, fail, lose their connection or are late."""
import threading
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, Mapping, Optional, Tuple

from ..errors import NoAnswer

BEFORE, AFTER = "before", "after"
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

    @property
    def is_delay(self) -> bool:
        return "delay" in self.action

    def applies(self, subject: Mapping[str, Tuple[str, ...]], when: str) -> bool:
        if self.when != when or self.remaining == 0 or self.released.is_set():
            return False
        return all(wanted in subject[name] for name, wanted in self.match.items())


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
        """The first armed fault for this call, with one of its times used up. Delays are not among them."""
        with self._lock:
            applying = (fault for fault in self._applying(subject, when) if not fault.is_delay)
            fault = next(applying, None)
            if fault:
                _use(fault)
        return fault

    def delay(self, subject: Mapping[str, Tuple[str, ...]], when: str) -> float:
        """For how many seconds this call is held up by all delays together, with one of their times used up."""
        with self._lock:
            delays = [fault for fault in self._applying(subject, when) if fault.is_delay]
            for fault in delays:
                _use(fault)
        return sum(fault.action["delay"] for fault in delays)

    def _applying(self, subject: Mapping[str, Tuple[str, ...]], when: str) -> Iterator[Fault]:
        return (fault for fault in self._faults.values() if fault.applies(subject, when))


def _use(fault: Fault) -> None:
    if fault.remaining is not None:
        fault.remaining -= 1
    fault.reached.set()


def hang(released: threading.Event, client_is_gone: Callable[[], bool]) -> None:
    """Returns when the event is set; raises NoAnswer when nobody waits any more.

    A client killed meanwhile must not see its call take effect afterwards.
    """
    while not released.wait(POLL_SECONDS):
        if client_is_gone():
            raise NoAnswer
    if client_is_gone():
        raise NoAnswer
