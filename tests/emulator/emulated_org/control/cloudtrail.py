"""CloudTrail's trail: how it answers, and records that nobody's call left."""
from typing import Mapping

from ..enforcement import Enforcement
from ..state.trail import KEPT
from ..state.trail_event import Content
from ..state.world import World
from .door import Door, Routes
from .trail_record import TrailRecord


class CloudTrail(Door):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._enforcement = Enforcement(world)

    @property
    def routes(self) -> Routes:
        return {("POST", "cloudtrail"): self._set, ("POST", "cloudtrail/records"): self._inject}

    def _set(self, request: Mapping) -> dict:
        """Changes what is stated, all of it or nothing, and answers all settings."""
        settings = self._world.trail.settings
        settings.update(dict(request))
        return settings.as_dict()

    def _inject(self, request: Mapping) -> dict:
        account, region = self._place(request)
        with self._world.lock:
            now = self._world.clock.now()
            records = [TrailRecord(one, account, region, now, self._enforcement) for one in request["records"]]
        injected = sum(record.repeat for record in records)
        if injected > KEPT:
            raise ValueError(f"{injected} records are more than the {KEPT} that are kept")
        for record in records:
            content = Content.of(record.detail, record.username)
            self._world.trail.add(account, region, content, record.events())
        return {"injected": injected, "event_ids": [record.detail["eventID"] for record in records]}
