"""The emulator's clock: real time plus an offset that tests move by hand.

Issue times, expiry and finding timestamps all come from here, so that a test
can let a session expire without waiting for it.
"""
import threading
from datetime import datetime, timedelta, timezone

from ..times import milliseconds


class Clock:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta()

    def now(self) -> datetime:
        with self._lock:
            return datetime.now(timezone.utc) + self._offset

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        with self._lock:
            self._offset = timedelta()

    @property
    def offset_seconds(self) -> float:
        return self._offset.total_seconds()

    def stamp(self) -> str:
        return milliseconds(self.now())

    def unix_milliseconds(self) -> int:
        return int(self.now().timestamp() * 1000)
