"""Witnesses of transparency logs: what each has cosigned, and how the next requests are answered.

They are run by somebody else and over plain HTTP (C2SP tlog-witness), not of AWS: nobody signs requests.
"""
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Deque, Dict, List, Optional, Tuple, Union

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "/witness/"
NAME = re.compile(r"[A-Za-z0-9_.~-]{1,100}", re.ASCII)
# Answers that are none, or not those of the protocol.
HANG, CLOSE, FORGE, STRANGER, LONG, EMPTY = "hang", "close", "forge", "stranger", "long", "empty"
FAULTS = (HANG, CLOSE, FORGE, STRANGER, LONG, EMPTY)


@dataclass(frozen=True)
class Fault:
    """`what` is an HTTP status, or one of FAULTS."""

    what: Union[int, str]
    retry_after: Optional[int] = None
    body: str = ""
    content_type: str = "text/plain"


@dataclass
class Seen:
    """The latest checkpoint of a log that was cosigned."""

    size: int
    root: bytes


@dataclass
class Witness:
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    # Encoded public keys of the logs, by origin.
    logs: Dict[str, List[str]] = field(default_factory=dict)
    seen: Dict[str, Seen] = field(default_factory=dict)
    # Seconds that its clock is off.
    clock: int = 0
    faults: Deque[Fault] = field(default_factory=deque)
    requests: List[dict] = field(default_factory=list)


class Witnesses:
    """All witnesses that a test has set up, by name."""

    def __init__(self) -> None:
        # Held while a request is answered: a checkpoint is compared and remembered in one step.
        self.lock = threading.Lock()
        self._witnesses: Dict[str, Witness] = {}
        self._let_go = threading.Event()

    def reset(self) -> None:
        with self.lock:
            self._witnesses.clear()
            self._let_go.set()
            self._let_go = threading.Event()

    def make(self, name: str) -> Witness:
        return self._witnesses.setdefault(name, Witness())

    def get(self, name: str) -> Optional[Witness]:
        return self._witnesses.get(name)

    def next_fault(self, name: str) -> Tuple[Optional[Fault], threading.Event]:
        """The fault of this request, and what is set when a hanging one has waited long enough."""
        with self.lock:
            witness = self._witnesses.get(name)
            fault = witness.faults.popleft() if witness and witness.faults else None
            return fault, self._let_go
