"""How late, how slowly and where CloudTrail answers, and where calls come from."""
import dataclasses
import random
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Dict, List

LOOPBACK = "127.0.0.1"


@dataclass
class TrailSettings:
    # Younger events are not found, by the emulator's clock.
    delay_seconds: float = 0
    # Each event is later by its own share of this. The seed decides the shares of the events to come.
    jitter_seconds: float = 0
    seed: int = 0
    # LookupEvents within a second, for one account and region; 0: as many as one likes.
    per_second: int = 0
    # Where LookupEvents is denied.
    dark_regions: List[str] = field(default_factory=list)
    # Access key -> where its calls come from, if not from this machine.
    addresses: Dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def update(self, changes: dict) -> None:
        """Raises ValueError on an unknown setting or value, and then changes nothing."""
        for name, value in changes.items():
            check = CHECKS.get(name)
            if check is None:
                raise ValueError(f"no such setting: {name}")
            check(name, value)
        for name, value in changes.items():
            setattr(self, name, {**self.addresses, **value} if name == "addresses" else value)
        if "seed" in changes:
            self._chance.seed(self.seed)

    def reset(self) -> None:
        self.addresses = {}
        self.update(TrailSettings().as_dict())

    def as_dict(self) -> dict:
        return dataclasses.asdict(self)

    def share(self) -> float:
        """Of the jitter, for the next event."""
        return self._chance.random()

    def address_of(self, access_key_id: str) -> str:
        return self.addresses.get(access_key_id, LOOPBACK)

    def inherit_address(self, access_key_id: str, made: str) -> None:
        """What a credential made is used from where it is used itself."""
        if access_key_id in self.addresses:
            self.addresses.setdefault(made, self.addresses[access_key_id])


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} is a number that is not negative")


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is a whole number that is not negative")


def _check_regions(name: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(region, str) for region in value):
        raise ValueError(f"{name} is a list of regions")


def _check_addresses(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{name} are addresses by access key")
    for address in value.values():
        ip_address(address)


CHECKS = {
    "delay_seconds": _check_seconds,
    "jitter_seconds": _check_seconds,
    "seed": _check_whole,
    "per_second": _check_whole,
    "dark_regions": _check_regions,
    "addresses": _check_addresses,
}
