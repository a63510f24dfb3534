"""KMS keys that sign: made by spec, with an alias if one is wanted."""
from typing import Mapping

from ..state.signing_keys import ED25519
from .door import Door, Routes


class SigningKeys(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "signing-keys"): self._create}

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            spec, partition = request.get("spec", ED25519), self._directory.partition
            key = self._world.signing_keys.create(partition, account, region, spec, request.get("alias"))
            return {"arn": key.arn}
