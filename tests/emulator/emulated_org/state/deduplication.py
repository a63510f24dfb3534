"""What FIFO queues and topics do with a message that was sent to them twice."""
import time
from typing import Dict, Generic, Optional, Tuple, TypeVar

SECONDS = 300

Sent = TypeVar("Sent")


class Deduplication(Generic[Sent]):
    def __init__(self) -> None:
        # deduplication id -> (until when it counts, on the monotonic clock, what was sent with it)
        self._sent: Dict[Optional[str], Tuple[float, Sent]] = {}

    def earlier(self, id: Optional[str]) -> Optional[Sent]:
        """What a message with this id repeats; None if it is new."""
        if id not in self._sent:
            return None
        until, sent = self._sent[id]
        return sent if time.monotonic() < until else None

    def remember(self, id: Optional[str], sent: Sent) -> None:
        self._sent[id] = (time.monotonic() + SECONDS, sent)
