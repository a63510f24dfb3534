"""EventBridge's event buses: what was put on them. No rule matches and nothing is forwarded."""
import re
import uuid
from dataclasses import dataclass
from typing import Dict, List, Mapping, Tuple

from ..errors import AwsError, NotEmulated
from ..protocol.calls import Call
from .directory import Directory

DEFAULT = "default"
ENTRY_LIMIT = 10
NAME = re.compile(r"[._A-Za-z0-9-]{1,256}", re.ASCII)
ARN = re.compile(r"arn:(aws[\w-]*):events:([a-z0-9-]+):(\d{12}):event-bus/([._A-Za-z0-9-]{1,256})", re.ASCII)


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
        self._made: Dict[str, Bus] = {}
        self._events: List[BusEvent] = []

    def reset(self) -> None:
        self._made.clear()
        self._events.clear()

    def create(self, bus: Bus) -> Bus:
        if bus.name in self._made:
            raise ValueError(f"there is a bus {bus.name} already")
        self._made[bus.name] = bus
        return bus

    def put(self, bus: Bus, **fields) -> str:
        """The event's id. On a bus that does not exist the event is lost, and AWS does not say so either."""
        event = BusEvent(id=str(uuid.uuid4()), bus=bus, **fields)
        if bus.name == DEFAULT or self._made.get(bus.name) == bus:
            self._events.append(event)
        return event.id

    def events(self, name: str) -> List[BusEvent]:
        """The events of a bus, or of all default ones; ValueError if there is none of that name."""
        if name != DEFAULT and name not in self._made:
            raise ValueError(f"there is no bus {name}: make it with POST buses")
        return [event for event in self._events if event.bus.name == name]


def bus_of_request(fields: Mapping, partition: str) -> Bus:
    """The bus that a request to the control interface describes."""
    name = fields["name"]
    if not isinstance(name, str) or not NAME.fullmatch(name) or name.startswith("aws."):
        raise ValueError("a bus's name has 1 to 256 letters, digits, dots, hyphens and underscores, not aws. in front")
    if name == DEFAULT:
        raise ValueError("each account and region has a default bus already")
    return Bus(partition, fields["region"], fields["account"], name)


def bus_arns(call: Call, account: str, directory: Directory) -> List[str]:
    """The buses a PutEvents call puts events on, each once: the caller needs them all."""
    return list(dict.fromkeys(bus.arn for _, bus in entries_with_buses(call, account, directory)))


def entries_with_buses(call: Call, account: str, directory: Directory) -> List[Tuple[Mapping, Bus]]:
    body = call.json_body()
    if body.get("EndpointId"):
        raise NotEmulated("events:PutEvents to a global endpoint")
    here = Bus(directory.partition, call.region, account, DEFAULT)
    entries = _entries(body)
    return [(entry, _bus_of_entry(entry, number, here)) for number, entry in enumerate(entries, 1)]


def _bus_of_entry(entry: Mapping, number: int, here: Bus) -> Bus:
    """The bus an entry of PutEvents is for. `here`: the caller's default bus."""
    named = entry.get("EventBusName")
    if named is None:
        return here
    if isinstance(named, str) and NAME.fullmatch(named):
        return Bus(here.partition, here.region, here.account, named)
    arn = ARN.fullmatch(named) if isinstance(named, str) else None
    if not arn:
        raise _validation_error(
            f"Value '{named}' at 'entries.{number}.member.eventBusName'",
            "Member must satisfy regular expression pattern: "
            r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[\.\-_A-Za-z0-9]+",
        )
    return Bus(*arn.groups())


def _entries(body: Mapping) -> List[Mapping]:
    entries = body.get("Entries")
    if entries is None:
        raise _validation_error("Value null at 'entries'", "Member must not be null")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AwsError("SerializationException", "Entries is not a list of structures")
    if any(not isinstance(entry.get("Resources") or [], list) for entry in entries):
        raise AwsError("SerializationException", "Resources is not a list")
    if not entries:
        raise _validation_error("Value '[]' at 'entries'", "Member must have length greater than or equal to 1")
    if len(entries) > ENTRY_LIMIT:
        what = "Value '[PutEventsRequestEntry]' at 'entries'"
        raise _validation_error(what, f"Member must have length less than or equal to {ENTRY_LIMIT}")
    return entries


def _validation_error(what: str, constraint: str) -> AwsError:
    return AwsError("ValidationException", f"1 validation error detected: {what} failed to satisfy constraint: {constraint}")
