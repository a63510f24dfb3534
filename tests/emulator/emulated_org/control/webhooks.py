"""The part of the control interface that plans webhooks' answers and tells what they received."""
from typing import Mapping

from ..state.webhooks import PREFIX, PlannedAnswer, named
from ..state.world import World


class WebhookControl:
    def __init__(self, world: World) -> None:
        self._world = world

    def plan(self, fields: Mapping, query: Mapping) -> dict:
        name, answers = named(fields), fields.get("answers", [])
        if not isinstance(answers, list):
            raise ValueError("answers is a list, of one answer for each of the next requests")
        self._world.webhooks.plan(name, [PlannedAnswer.parse(answer) for answer in answers])
        return {"path": PREFIX + name}

    def describe(self, fields: Mapping, query: Mapping) -> dict:
        return {"requests": self._world.webhooks.received(named(query))}
