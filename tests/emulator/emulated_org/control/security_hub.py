"""The part of the control interface that enables Security Hub and tells what was imported."""
from typing import Callable, Mapping

from ..state.world import World


class SecurityHubControl:
    def __init__(self, world: World, account_of: Callable[[Mapping], str]) -> None:
        self._world = world
        self._account_of = account_of

    def enable(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            self._world.directory.require_region(fields["region"])
            self._world.security_hub.enable(self._account_of(fields), fields["region"])
            return {}

    def describe(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            return {"findings": self._world.security_hub.findings(query["account"], query["region"])}
