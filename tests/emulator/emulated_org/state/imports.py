"""Findings that were imported into Security Hub, as they came, and what was written about GuardDuty's."""
from typing import Dict, List, Set, Tuple


class ImportedFindings:
    """Of every account and region in which Security Hub is enabled. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._enabled: Set[Tuple[str, str]] = set()
        self._findings: Dict[Tuple[str, str, str], dict] = {}
        self._updates: Dict[Tuple[str, str, str], dict] = {}

    def reset(self) -> None:
        self._enabled.clear()
        self._findings.clear()
        self._updates.clear()

    def enable(self, account: str, region: str) -> None:
        self._enabled.add((account, region))

    def is_enabled(self, account: str, region: str) -> bool:
        return (account, region) in self._enabled

    def put(self, account: str, region: str, finding: dict) -> None:
        """Adds a finding, or replaces the one with its id."""
        self._findings[account, region, finding["Id"]] = finding

    def update(self, account: str, region: str, id: str, update: dict) -> None:
        """What BatchUpdateFindings says of a finding, over what it said before."""
        self._updates.setdefault((account, region, id), {}).update(update)

    def updates(self, account: str, region: str) -> Dict[str, dict]:
        return {key[2]: update for key, update in self._updates.items() if key[:2] == (account, region)}

    def findings(self, account: str, region: str) -> List[dict]:
        place = (account, region)
        return [finding for key, finding in self._findings.items() if key[:2] == place]
