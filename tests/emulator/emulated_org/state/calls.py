"""The log of all calls to emulated services, for tests to read."""
import threading
from typing import Dict, List


class CallLog:
    """Calls are entered as they arrive and completed once their effect is decided.

    A call held by a fault therefore shows up with the status None.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: List[Dict] = []
        self._number = 0

    def arrived(self, **fields) -> Dict:
        with self._lock:
            self._number += 1
            entry = {"n": self._number, **fields, "status": None, "error_code": None}
            self._calls.append(entry)
            return entry

    def completed(self, entry: Dict, **fields) -> None:
        with self._lock:
            entry.update(fields)

    def since(self, number: int) -> List[Dict]:
        with self._lock:
            # Numbers are consecutive, so that the first wanted call has a known place.
            forgotten = self._number - len(self._calls)
            return [dict(entry) for entry in self._calls[max(0, number - forgotten) :]]

    def clear(self) -> None:
        """Numbers go on, so that ``since`` stays meaningful across a clear."""
        with self._lock:
            self._calls.clear()
