"""Webhooks: what was posted to them, and how the next requests are answered.

They are what a chat or a pager offers over plain HTTP, not of AWS: nobody signs.
"""
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Deque, Dict, List, Mapping, Optional, Tuple, Union

PREFIX = "/webhook/"
NAME = re.compile(r"[A-Za-z0-9_.~-]{1,256}", re.ASCII)
# Answers without an answer.
HANG, CLOSE = "hang", "close"


@dataclass(frozen=True)
class PlannedAnswer:
    """`status` is an HTTP status, or how the request gets none."""

    status: Union[int, str] = 200
    retry_after: Optional[str] = None


@dataclass
class Webhook:
    planned: Deque[PlannedAnswer] = field(default_factory=deque)
    received: List[dict] = field(default_factory=list)


class Webhooks:
    """All webhooks, by name: each name is one, whether or not it was announced."""

    def __init__(self) -> None:
        # Their own lock: a request that hangs must not stop other calls.
        self._lock = threading.Lock()
        self._webhooks: Dict[str, Webhook] = {}
        self._let_go = threading.Event()

    def reset(self) -> None:
        with self._lock:
            self._webhooks.clear()
            self._let_go.set()
            self._let_go = threading.Event()

    def plan(self, name: str, answers: List[PlannedAnswer]) -> None:
        """Replaces what was planned; what was received stays."""
        with self._lock:
            self._webhooks.setdefault(name, Webhook()).planned = deque(answers)

    def received(self, name: str) -> List[dict]:
        with self._lock:
            webhook = self._webhooks.get(name)
            return list(webhook.received) if webhook else []

    def receive(self, name: str, request: Mapping) -> Tuple[PlannedAnswer, threading.Event]:
        """How the request is answered, and what is set when a hanging one has waited long enough."""
        with self._lock:
            webhook = self._webhooks.setdefault(name, Webhook())
            planned = webhook.planned.popleft() if webhook.planned else PlannedAnswer()
            webhook.received.append({**request, "status": planned.status})
            return planned, self._let_go
