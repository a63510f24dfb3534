"""AWS CloudTrail's LookupEvents, over what the emulator itself was asked."""
import base64
import hashlib
import json
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from ...enforcement import Principal, denied
from ...errors import AwsError, NotEmulated
from ...moto_bridge import forward
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ...state.trail_event import Event
from ...state.world import World

PAGE_LIMITS = range(1, 51)
ATTRIBUTES: Dict[str, Callable[[Event, str], bool]] = {
    "AccessKeyId": lambda event, value: event.content.access_key_id == value,
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.content.name == value,
    "EventSource": lambda event, value: event.content.source == value,
    "ReadOnly": lambda event, value: event.content.is_read == (value == "true"),
    "ResourceName": lambda event, value: any(name == value for _, name in event.content.resources),
    "ResourceType": lambda event, value: any(kind == value for kind, _ in event.content.resources),
    "Username": lambda event, value: event.content.username == value,
}


class CloudTrail:
    def __init__(self, world: World) -> None:
        self._trail = world.trail
        self._clock = world.clock

    def handle(self, call: Call, principal: Principal) -> Answer:
        if call.operation != "LookupEvents":
            # Trails are moto's. Whatever becomes of them, LookupEvents goes on, as on AWS.
            return forward(call, principal.account)
        body = call.json_body()
        if body.get("EventCategory"):
            raise NotEmulated("cloudtrail:LookupEvents with an EventCategory")
        if call.region in self._trail.settings.dark_regions:
            raise denied(principal, call.action, "*", "with an explicit deny in a service control policy")
        if not self._trail.may_look_up(principal.account, call.region):
            raise AwsError("ThrottlingException", "Rate exceeded")
        request = _Lookup(body)
        page: List[Event] = []
        for event in self._trail.newest_first(
            principal.account, call.region, self._clock.now(), request.access_key_id, request.below
        ):
            if request.is_before_start(event):
                break
            if not request.wants(event):
                continue
            if len(page) == request.size:
                token = request.token_after(page[-1])
                return json_answer(call, {"Events": [found.described() for found in page], "NextToken": token})
            page.append(event)
        return json_answer(call, {"Events": [found.described() for found in page]})


class _Lookup:
    """The validated parameters of a LookupEvents call."""

    def __init__(self, body: Mapping) -> None:
        self._matches, self._value = _attribute(body)
        self.access_key_id = self._value if self._matches is ATTRIBUTES["AccessKeyId"] else None
        self._start, self._end = _time(body, "StartTime"), _time(body, "EndTime")
        if self._start is not None and self._end is not None and self._start > self._end:
            raise AwsError("InvalidTimeRangeException", "The start time occurs after the end time.")
        self.size = body.get("MaxResults", PAGE_LIMITS[-1])
        if not isinstance(self.size, int) or self.size not in PAGE_LIMITS:
            raise AwsError("InvalidMaxResultsException", "A value between 1 and 50 is required for MaxResults.")
        # A token is good for the request it was answered to, and for its next pages.
        asked = json.dumps([body.get(name) for name in ("LookupAttributes", "StartTime", "EndTime")])
        self._digest = hashlib.sha256(asked.encode()).hexdigest()[:16]
        self.below = self._position(body["NextToken"]) if body.get("NextToken") else None

    def is_before_start(self, event: Event) -> bool:
        return self._start is not None and int(event.at) < self._start

    def wants(self, event: Event) -> bool:
        if self._end is not None and int(event.at) > self._end:
            return False
        return self._matches is None or self._matches(event, self._value)

    def token_after(self, event: Event) -> str:
        """Pages go on below an event, not at an offset: events keep arriving above it, and below."""
        return base64.b64encode(json.dumps([self._digest, *event.position]).encode()).decode()

    def _position(self, token: str) -> Tuple[float, int]:
        try:
            digest, at, number = json.loads(base64.b64decode(token, validate=True))
            if digest == self._digest:
                return float(at), int(number)
        except (ValueError, TypeError):
            pass
        raise AwsError("InvalidNextTokenException", "The token is invalid, or of a request with other parameters.")


def _attribute(body: Mapping):
    attributes = body.get("LookupAttributes") or []
    if not attributes:
        return None, ""
    wanted = attributes[0] if isinstance(attributes, list) and len(attributes) == 1 else {}
    name, value = wanted.get("AttributeKey"), wanted.get("AttributeValue")
    if name not in ATTRIBUTES or not isinstance(value, str):
        raise AwsError("InvalidLookupAttributesException", "Exactly one valid lookup attribute is allowed.")
    return ATTRIBUTES[name], value


def _time(body: Mapping, name: str) -> Optional[float]:
    moment = body.get(name)
    if moment is not None and (isinstance(moment, bool) or not isinstance(moment, (int, float))):
        raise AwsError("InvalidTimeRangeException", f"{name} is not a number of seconds.")
    return moment
