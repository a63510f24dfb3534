"""Amazon EventBridge's PutEvents: each entry succeeds or fails by itself, under status 200."""
import json
import re
from datetime import datetime, timezone
from typing import List, Mapping, Tuple

from ..enforcement import Principal, denied_across_accounts
from ..errors import AwsError, NotEmulated, constraint_violated
from ..protocol.answers import Answer, json_answer
from ..protocol.calls import Call
from ..state.buses import DEFAULT, NAME, Bus
from ..state.directory import Directory
from ..state.world import World
from ..times import whole_seconds

MAX_BYTES = 262144
# What a time counts for in the size of an entry, however it is written.
TIME_BYTES = 14
DETAIL_TYPE_LIMIT = 128
ENTRY_LIMIT = 10
ARN = re.compile(r"arn:(aws[\w-]*):events:([a-z0-9-]+):(\d{12}):event-bus/([._A-Za-z0-9-]{1,256})", re.ASCII)


class EventBridge:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._buses = world.buses
        self._clock = world.clock

    def handle(self, call: Call, principal: Principal) -> Answer:
        if call.operation != "PutEvents":
            raise NotEmulated(f"events:{call.operation}")
        entries = entries_with_buses(call, principal.account, self._directory)
        for _, bus in entries:
            _check_place(bus, call, principal)
        if sum(_size(entry) for entry, _ in entries) > MAX_BYTES:
            raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")
        results = []
        for number, (entry, bus) in enumerate(entries):
            if number < call.failing_entries:
                results.append({"ErrorCode": "InternalFailure", "ErrorMessage": "injected by a fault"})
                continue
            try:
                results.append({"EventId": self._put(entry, bus)})
            except AwsError as error:
                results.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        failed = sum("ErrorCode" in result for result in results)
        return json_answer(call, {"FailedEntryCount": failed, "Entries": results})

    def _put(self, entry: Mapping, bus: Bus) -> str:
        source, detail_type, detail = (_required(entry, name) for name in ("Source", "DetailType", "Detail"))
        if len(detail_type) > DETAIL_TYPE_LIMIT:
            raise _invalid("DetailType", f"DetailType has more than {DETAIL_TYPE_LIMIT} characters.")
        if source.startswith("aws."):
            raise AwsError("NotAuthorizedForSourceException", "Not authorized for the source.")
        return self._buses.put(
            bus,
            source=source,
            detail_type=detail_type,
            detail=_object(detail),
            resources=list(entry.get("Resources") or []),
            time=self._time(entry),
        )

    def _time(self, entry: Mapping) -> str:
        seconds = entry.get("Time")
        if seconds is None:
            return whole_seconds(self._clock.now())
        try:
            return whole_seconds(datetime.fromtimestamp(seconds, timezone.utc))
        except (TypeError, ValueError, OverflowError, OSError):
            raise _invalid("Time", "Time is not a number of seconds.") from None


def _check_place(bus: Bus, call: Call, principal: Principal) -> None:
    if bus.account != principal.account:
        raise denied_across_accounts(principal, call.action, bus.arn)
    if bus.region != call.region:
        raise NotEmulated("events:PutEvents to a bus of another region than the call's")


def _size(entry: Mapping) -> int:
    texts = [entry.get(name) for name in ("Source", "DetailType", "Detail")] + list(entry.get("Resources") or [])
    texts_size = sum(len(text.encode()) for text in texts if isinstance(text, str))
    return texts_size + (TIME_BYTES if entry.get("Time") is not None else 0)


def _required(entry: Mapping, name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(name, f"{name} is a required argument.")
    return value


def _invalid(name: str, reason: str) -> AwsError:
    return AwsError("InvalidArgument", f"Parameter {name} is not valid. Reason: {reason}")


def _object(text: str) -> dict:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise AwsError("MalformedDetail", "Detail is malformed.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


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
        raise _refused(
            f"Value '{named}' at 'entries.{number}.member.eventBusName'",
            "Member must satisfy regular expression pattern: "
            r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[\.\-_A-Za-z0-9]+",
        )
    return Bus(*arn.groups())


def _entries(body: Mapping) -> List[Mapping]:
    entries = body.get("Entries")
    if entries is None:
        raise _refused("Value null at 'entries'", "Member must not be null")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AwsError("SerializationException", "Entries is not a list of structures")
    if any(not isinstance(entry.get("Resources") or [], list) for entry in entries):
        raise AwsError("SerializationException", "Resources is not a list")
    if not entries:
        raise _refused("Value '[]' at 'entries'", "Member must have length greater than or equal to 1")
    if len(entries) > ENTRY_LIMIT:
        what = "Value '[PutEventsRequestEntry]' at 'entries'"
        raise _refused(what, f"Member must have length less than or equal to {ENTRY_LIMIT}")
    return entries


def _refused(what: str, constraint: str) -> AwsError:
    return constraint_violated(what, constraint, "ValidationException")
