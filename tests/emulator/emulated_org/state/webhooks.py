"""Webhooks: what was posted to them, and how the next requests are answered.

They are what a chat or a pager offers over plain HTTP, not of AWS: nobody signs.
"""
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Deque, Dict, List, Mapping, Optional, Union

from ..protocol.calls import Answer
from .faults import POLL_SECONDS, ClientGone

PREFIX = "/webhook/"
NAME = re.compile(r"[A-Za-z0-9_.~-]{1,256}", re.ASCII)
# Answers without an answer.
HANG, CLOSE = "hang", "close"


@dataclass(frozen=True)
class PlannedAnswer:
    """`status` is an HTTP status, or how the request gets none."""

    status: Union[int, str] = 200
    retry_after: Optional[str] = None

    @classmethod
    def parse(cls, planned) -> "PlannedAnswer":
        if planned in (HANG, CLOSE):
            return cls(planned)
        fields = planned if isinstance(planned, dict) else {"status": planned}
        status, retry_after = fields.get("status"), fields.get("retry_after")
        is_status = isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599
        if not is_status or not set(fields) <= {"status", "retry_after"}:
            raise ValueError('an answer is a status, {"status": 429, "retry_after": 1}, "hang" or "close"')
        if isinstance(retry_after, bool) or not isinstance(retry_after, (int, str, type(None))):
            raise ValueError("retry_after is a number of seconds or a date")
        return cls(status, None if retry_after is None else str(retry_after))

    def answer(self) -> Answer:
        headers = {"Content-Type": "text/plain"}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        return Answer(int(self.status), headers, b"")


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

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, client_is_gone: Callable[[], bool]
    ) -> Answer:
        """Receives a request; raises ClientGone if it gets no answer."""
        name = path[len(PREFIX) :]
        if not NAME.fullmatch(name):
            return _refusal(404, f"a webhook is {PREFIX}NAME, with letters, digits and ._~- in its name")
        if method != "POST":
            return _refusal(405, f"a webhook takes POST, not {method}")
        with self._lock:
            webhook, let_go = self._webhooks.setdefault(name, Webhook()), self._let_go
            planned = webhook.planned.popleft() if webhook.planned else PlannedAnswer()
            webhook.received.append(_described(headers, body, planned))
        if planned.status == HANG:
            while not let_go.wait(POLL_SECONDS) and not client_is_gone():
                pass
        if planned.status in (HANG, CLOSE):
            raise ClientGone
        return planned.answer()


def named(fields: Mapping) -> str:
    """The name in a request to the control interface."""
    name = fields["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("a webhook's name has 1 to 256 letters, digits and ._~-")
    return name


def _described(headers: Mapping[str, str], body: bytes, planned: PlannedAnswer) -> dict:
    by_name: Dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return {"headers": by_name, "body": body.decode("utf-8", "replace"), "status": planned.status}


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"error": message}).encode())
