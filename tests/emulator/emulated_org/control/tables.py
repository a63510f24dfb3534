"""DynamoDB's tables: made by name, what is in them, and changes that no client makes."""
import re
from typing import Mapping

from .door import Door, Routes

NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)


class Tables(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "tables"): self._create,
            ("GET", "tables"): self._describe,
            ("POST", "tables/items"): self._change,
        }

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            name = request["name"]
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise ValueError("a table's name has 3 to 255 letters, digits, hyphens, underscores and dots")
            consistency = request.get("consistency", "STRONG")
            if consistency not in ("STRONG", "EVENTUAL"):
                raise ValueError("the consistency of a table in several regions is STRONG or EVENTUAL")
            replicas = request.get("replicas", [])
            return {"arn": self._world.tables.create(account, region, name, replicas, consistency)}

    def _describe(self, request: Mapping) -> dict:
        with self._world.lock:
            return {"items": self._world.tables.items(request["name"])}

    def _change(self, request: Mapping) -> dict:
        with self._world.lock:
            for item in request.get("put", []):
                self._world.tables.put(request["table"], item)
            removed = [key for key in request.get("remove", []) if self._world.tables.remove(request["table"], key)]
            return {"removed": removed}
