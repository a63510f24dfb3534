"""Event buses: made by name, and what was put on them."""
from typing import Mapping

from ..state.buses import DEFAULT, NAME, Bus
from .door import Door, Routes


class Buses(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "buses"): self._create, ("GET", "buses"): self._describe}

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            bus = Bus(self._directory.partition, region, account, _name(request))
            return {"arn": self._world.buses.create(bus).arn}

    def _describe(self, request: Mapping) -> dict:
        """Of the default buses, only an account's or a region's if asked."""
        with self._world.lock:
            events = [event.described() for event in self._world.buses.events(request["name"])]
        wanted = {name: request[name] for name in ("account", "region") if name in request}
        return {"events": [event for event in events if all(event[name] == wanted[name] for name in wanted)]}


def _name(request: Mapping) -> str:
    name = request["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.startswith("aws."):
        raise ValueError("a bus's name has 1 to 256 letters, digits, dots, hyphens and underscores, not aws. in front")
    if name == DEFAULT:
        raise ValueError("each account and region has a default bus already")
    return name
