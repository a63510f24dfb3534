"""Amazon EventBridge's PutEvents: each entry succeeds or fails by itself, under status 200."""
import json
from datetime import datetime, timezone
from typing import Mapping

from ..enforcement import Principal, denied
from ..errors import AwsError, NotEmulated
from ..protocol.calls import Answer, Call, json_answer
from ..state.buses import Bus, Buses, entries_with_buses
from ..state.clock import Clock, whole_seconds
from ..state.directory import Directory

JSON_TYPE = "application/x-amz-json-1.1"
MAX_BYTES = 262144
# What a time counts for in the size of an entry, however it is written.
TIME_BYTES = 14
DETAIL_TYPE_LIMIT = 128


class EventBridge:
    def __init__(self, directory: Directory, buses: Buses, clock: Clock) -> None:
        self._directory = directory
        self._buses = buses
        self._clock = clock

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
        return json_answer({"FailedEntryCount": failed, "Entries": results}, JSON_TYPE)

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
        reason = f"because no resource-based policy allows the {call.action} action"
        raise denied(principal, call.action, bus.arn, reason)
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
