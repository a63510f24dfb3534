"""Security Hub: enabled in an account and a region, and what was imported there."""
from typing import Mapping

from .door import Door, Routes


class SecurityHub(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "security-hub"): self._enable, ("GET", "security-hub"): self._describe}

    def _enable(self, request: Mapping) -> dict:
        with self._world.lock:
            self._world.imports.enable(*self._place(request))
            return {}

    def _describe(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = request["account"], request["region"]
            imports = self._world.imports
            return {"findings": imports.findings(account, region), "updates": imports.updates(account, region)}
