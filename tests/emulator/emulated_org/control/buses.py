"""The part of the control interface that makes event buses and tells what was put on them."""
from typing import Callable, Mapping

from ..state.buses import bus_of_request
from ..state.world import World


class BusControl:
    def __init__(self, world: World, account_of: Callable[[Mapping], str]) -> None:
        self._world = world
        self._account_of = account_of

    def create(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            self._account_of(fields)
            self._world.directory.require_region(fields["region"])
            bus = self._world.buses.create(bus_of_request(fields, self._world.directory.partition))
            return {"arn": bus.arn}

    def describe(self, fields: Mapping, query: Mapping) -> dict:
        """Of the default buses, only an account's or a region's if asked."""
        with self._world.lock:
            events = [event.described() for event in self._world.buses.events(query["name"])]
        wanted = {name: query[name] for name in ("account", "region") if name in query}
        return {"events": [event for event in events if all(event[name] == wanted[name] for name in wanted)]}
