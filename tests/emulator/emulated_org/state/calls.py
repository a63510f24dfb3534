"""The log of all calls to emulated services, for tests to read."""
import threading
from typing import Dict, List, Tuple

from ..protocol.calls import Call

READS = ("Get", "List", "Describe", "Lookup", "Simulate", "Head", "Scan", "Query", "Receive", "AssumeRole")
# What the log keeps of calls that carry texts, which may be long and confidential.
KEPT_PARAMETERS: Dict[Tuple[str, str], Tuple[str, ...]] = {
    ("sns", "Publish"): ("TopicArn", "TargetArn", "MessageStructure", "MessageGroupId", "MessageDeduplicationId"),
    ("events", "PutEvents"): (),
}


def logged(call: Call) -> Dict[str, str]:
    """A call's parameters, of texts only how long they are."""
    kept = KEPT_PARAMETERS.get((call.service, call.operation))
    if kept is None:
        return call.params
    return {name: value if name in kept else _size(value) for name, value in call.params.items()}


def _size(text: str) -> str:
    return f"({len(text.encode())} bytes)"


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
            entry = {
                "n": self._number,
                **fields,
                "status": None,
                "error_code": None,
                "write": not fields["operation"].startswith(READS),
            }
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
