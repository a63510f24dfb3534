"""GuardDuty's detectors, and findings exactly as a test injected them.

Findings are untrusted input to rescind, so a detector accepts any JSON object
that has an id, whatever the types of its other fields.
"""
import secrets
from typing import Dict, List, Optional, Tuple


class Detector:
    def __init__(self, account: str, region: str) -> None:
        self.id = secrets.token_hex(16)
        self.account = account
        self.region = region
        self.findings: Dict[str, dict] = {}
        self.status = "ENABLED"
        self.frequency = "FIFTEEN_MINUTES"
        # Accounts whose relationship is not Enabled; None for those that are no members.
        self.unusual_members: Dict[str, Optional[str]] = {}
        # Pages are cut from one snapshot: a finding that arrives or changes
        # between two pages must not push another one off them.
        self._snapshots: Dict[str, Tuple[List[str], int]] = {}

    def keep_snapshot(self, ids: List[str], start: int) -> str:
        """The token that `resume` takes."""
        token = secrets.token_urlsafe(24)
        self._snapshots[token] = (ids, start)
        return token

    def resume(self, token: str) -> Optional[Tuple[List[str], int]]:
        """The snapshot a token is of, and where its page begins; None if there is none."""
        return self._snapshots.get(token)


class Detectors:
    """The detectors of all accounts, one for each account and region."""

    def __init__(self) -> None:
        self._detectors: Dict[Tuple[str, str], Detector] = {}
        self.administrator: Optional[str] = None

    def reset(self) -> None:
        self._detectors.clear()
        self.administrator = None

    def create(self, account: str, region: str) -> Detector:
        return self._detectors.setdefault((account, region), Detector(account, region))

    def find(self, account: str, region: str) -> Optional[Detector]:
        return self._detectors.get((account, region))
