"""CloudTrail's trail: how late it is, and where calls come from."""
from ipaddress import ip_address
from typing import Mapping

from .door import Door, Routes


class CloudTrail(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "cloudtrail"): self._set}

    def _set(self, request: Mapping) -> dict:
        """Changes what is stated, all of it or nothing, and answers all settings."""
        trail = self._world.trail
        unknown = set(request) - {"delay_seconds", "addresses"}
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        delay = float(request.get("delay_seconds", trail.delay_seconds))
        if not delay >= 0:
            raise ValueError("delay_seconds is not negative")
        addresses = dict(request.get("addresses", {}))
        for address in addresses.values():
            ip_address(address)
        trail.delay_seconds = delay
        trail.addresses.update(addresses)
        return {"delay_seconds": delay, "addresses": dict(trail.addresses)}
