"""What CloudTrail recorded, by account and region and by access key: the latest of all are kept."""
import threading
import time
import uuid
from bisect import bisect_left, insort
from collections import defaultdict, deque
from datetime import datetime
from types import SimpleNamespace
from typing import DefaultDict, Deque, Dict, Iterable, Iterator, List, Optional, Tuple

from .trail_event import Content, Event
from .trail_settings import TrailSettings

KEPT = 100_000
Place = Tuple[str, str]


class Trail:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.settings = TrailSettings()
        # In the order in which they came.
        self._arrived: Deque[Event] = deque()
        # In the order of their time: all of a place, and those of each access key in it.
        self._events: DefaultDict[Tuple[Place, Optional[str]], List[Event]] = defaultdict(list)
        self._number = 0
        # Place -> when it was looked up within the last second.
        self._lookups: Dict[Place, Deque[float]] = {}

    def reset(self) -> None:
        with self._lock:
            self.settings.reset()
            self._arrived.clear()
            self._events.clear()
            self._lookups.clear()

    def record(self, account: str, region: str, moment: datetime, username: Optional[str], detail: dict) -> None:
        content = Content.of(detail, username)
        self.add(account, region, content, [(moment.timestamp(), detail["eventID"])])

    def add(self, account: str, region: str, content: Content, events: Iterable[Tuple[float, Optional[str]]]) -> None:
        """Events of one content, each of which has a time and, unless it gets one, an id."""
        place = (account, region)
        with self._lock:
            for at, id in events:
                self._number += 1
                event = Event(content, place, at, self._number, id or str(uuid.uuid4()), self.settings.share())
                self._arrived.append(event)
                for shelf in _shelves(event):
                    _insert(self._events[shelf], event)
            while len(self._arrived) > KEPT:
                self._forget(self._arrived.popleft())

    def newest_first(
        self,
        account: str,
        region: str,
        now: datetime,
        access_key_id: Optional[str] = None,
        below: Optional[Tuple[float, int]] = None,
    ) -> Iterator[Event]:
        """What may be seen of an account's events in a region: of a key, and below a position, if stated."""
        with self._lock:
            shelf = self._events.get(((account, region), access_key_id), [])
            end = len(shelf) if below is None else bisect_left(shelf, SimpleNamespace(position=below))
            events = shelf[:end]
        latest = now.timestamp() - self.settings.delay_seconds
        jitter = self.settings.jitter_seconds
        return (event for event in reversed(events) if event.at + event.share * jitter <= latest)

    def may_look_up(self, account: str, region: str) -> bool:
        """Whether one more LookupEvents is within the quota; it counts if it is. In real time."""
        limit, now = self.settings.per_second, time.monotonic()
        with self._lock:
            lookups = self._lookups.setdefault((account, region), deque())
            while lookups and now - lookups[0] >= 1:
                lookups.popleft()
            if limit and len(lookups) >= limit:
                return False
            if limit:
                lookups.append(now)
            return True

    def _forget(self, event: Event) -> None:
        for shelf in _shelves(event):
            events = self._events[shelf]
            del events[bisect_left(events, event)]
            if not events:
                del self._events[shelf]


def _shelves(event: Event) -> List[Tuple[Place, Optional[str]]]:
    key = event.content.access_key_id
    return [(event.place, None), (event.place, key)] if key else [(event.place, None)]


def _insert(events: List[Event], event: Event) -> None:
    if not events or events[-1] < event:
        events.append(event)
    else:
        insort(events, event)
