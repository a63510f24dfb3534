"""EventBridge's event buses: what was put on them. No rule matches and nothing is forwarded."""
import re
import uuid
from dataclasses import dataclass
from typing import List

from .named import Named

DEFAULT = "default"
NAME = re.compile(r"[._A-Za-z0-9-]{1,256}", re.ASCII)


@dataclass(frozen=True)
class Bus:
    partition: str
    region: str
    account: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:events:{self.region}:{self.account}:event-bus/{self.name}"


@dataclass(frozen=True)
class BusEvent:
    id: str
    bus: Bus
    source: str
    detail_type: str
    detail: dict
    resources: List[str]
    time: str

    def described(self) -> dict:
        return {
            "id": self.id,
            "source": self.source,
            "detail_type": self.detail_type,
            "detail": self.detail,
            "resources": self.resources,
            "time": self.time,
            "account": self.bus.account,
            "region": self.bus.region,
        }


class Buses:
    """All buses. Those made by name are unique; each account and region has a default one besides.

    Whoever uses it holds the world's lock.
    """

    def __init__(self) -> None:
        self._made: Named[Bus] = Named("bus", "buses")
        self._events: List[BusEvent] = []

    def reset(self) -> None:
        self._made.clear()
        self._events.clear()

    def create(self, bus: Bus) -> Bus:
        return self._made.add(bus.name, bus)

    def put(self, bus: Bus, **fields) -> str:
        """The event's id. On a bus that does not exist the event is lost, and AWS does not say so either."""
        event = BusEvent(id=str(uuid.uuid4()), bus=bus, **fields)
        if bus.name == DEFAULT or self._made.find(bus.name) == bus:
            self._events.append(event)
        return event.id

    def events(self, name: str) -> List[BusEvent]:
        """The events of a bus, or of all default ones; ValueError if there is none of that name."""
        if name != DEFAULT:
            self._made.named(name)
        return [event for event in self._events if event.bus.name == name]
