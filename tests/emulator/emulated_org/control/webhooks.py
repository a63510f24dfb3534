"""Webhooks: how they answer, and what they received."""
from typing import Mapping

from ..state.webhooks import CLOSE, HANG, NAME, PREFIX, PlannedAnswer
from .door import Door, Routes


class Webhooks(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "webhooks"): self._plan, ("GET", "webhooks"): self._describe}

    def _plan(self, request: Mapping) -> dict:
        name, answers = _name(request), request.get("answers", [])
        if not isinstance(answers, list):
            raise ValueError("answers is a list, of one answer for each of the next requests")
        self._world.webhooks.plan(name, [_planned(answer) for answer in answers])
        return {"path": PREFIX + name}

    def _describe(self, request: Mapping) -> dict:
        return {"requests": self._world.webhooks.received(_name(request))}


def _name(request: Mapping) -> str:
    name = request["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("a webhook's name has 1 to 256 letters, digits and ._~-")
    return name


def _planned(answer) -> PlannedAnswer:
    if answer in (HANG, CLOSE):
        return PlannedAnswer(answer)
    fields = answer if isinstance(answer, dict) else {"status": answer}
    status, retry_after = fields.get("status"), fields.get("retry_after")
    is_status = isinstance(status, int) and not isinstance(status, bool) and 200 <= status <= 599
    if not is_status or not set(fields) <= {"status", "retry_after"}:
        raise ValueError('an answer is a status, {"status": 429, "retry_after": 1}, "hang" or "close"')
    if isinstance(retry_after, bool) or not isinstance(retry_after, (int, str, type(None))):
        raise ValueError("retry_after is a number of seconds or a date")
    return PlannedAnswer(status, None if retry_after is None else str(retry_after))
