"""What is posted to a webhook: received, and answered as a test planned. Nobody signs it."""
import json
from typing import Callable, Dict, Mapping

from ..errors import NoAnswer
from ..protocol.answers import Answer
from ..state.faults import hang
from ..state.webhooks import CLOSE, HANG, NAME, PREFIX, PlannedAnswer, Webhooks


class WebhookReceiver:
    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, client_is_gone: Callable[[], bool]
    ) -> Answer:
        """Receives a request; raises NoAnswer if it gets none."""
        name = path[len(PREFIX) :]
        if not NAME.fullmatch(name):
            return _refusal(404, f"a webhook is {PREFIX}NAME, with letters, digits and ._~- in its name")
        if method != "POST":
            return _refusal(405, f"a webhook takes POST, not {method}")
        planned, let_go = self._webhooks.receive(name, _described(headers, body))
        if planned.status == HANG:
            hang(let_go, client_is_gone)
        if planned.status in (HANG, CLOSE):
            raise NoAnswer
        return _planned(planned)


def _planned(planned: PlannedAnswer) -> Answer:
    headers = {"Content-Type": "text/plain"}
    if planned.retry_after is not None:
        headers["Retry-After"] = planned.retry_after
    return Answer(int(planned.status), headers, b"")


def _described(headers: Mapping[str, str], body: bytes) -> dict:
    by_name: Dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return {"headers": by_name, "body": body.decode("utf-8", "replace")}


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"error": message}).encode())
