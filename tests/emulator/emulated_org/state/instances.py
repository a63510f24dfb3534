"""EC2 instances: not machines, but what DescribeInstances says of them."""
from dataclasses import dataclass
from datetime import datetime
from typing import Dict, List, Optional, Tuple

# State: its code.
STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclass(frozen=True)
class Instance:
    id: str
    reservation_id: str
    state: str
    profile_arn: str
    profile_id: str
    vpc_id: Optional[str]
    tags: Dict[str, str]
    launched_at: datetime


class Instances:
    """The instances of all accounts, by account and region."""

    def __init__(self) -> None:
        self._instances: Dict[Tuple[str, str], Dict[str, Instance]] = {}

    def reset(self) -> None:
        self._instances.clear()

    def put(self, account: str, region: str, instance: Instance) -> None:
        """Adds an instance, or replaces the one with its id, for instance by one that was stopped."""
        self._instances.setdefault((account, region), {})[instance.id] = instance

    def of(self, account: str, region: str) -> List[Instance]:
        return list(self._instances.get((account, region), {}).values())

    @property
    def none_at_all(self) -> bool:
        return not self._instances
