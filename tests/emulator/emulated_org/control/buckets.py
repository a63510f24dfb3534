"""S3's buckets: made by name, what is in them, and changes that no client makes."""
import re
from typing import Mapping

from .door import Door, Routes

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


class Buckets(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "buckets"): self._create,
            ("GET", "buckets"): self._describe,
            ("POST", "buckets/objects"): self._change,
        }

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            name, lock = request["name"], request.get("lock", {})
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise ValueError("a bucket's name has 3 to 63 lower-case letters, digits, hyphens and dots")
            if lock is not None and not isinstance(lock, dict):
                raise ValueError("a lock has days and a mode, or is null")
            versioned = bool(request.get("versioned", True))
            partition = self._world.directory.partition
            return {"arn": self._world.buckets.create(account, partition, region, name, lock, versioned)}

    def _describe(self, request: Mapping) -> dict:
        with self._world.lock:
            return {"objects": self._world.buckets.objects(request["name"])}

    def _change(self, request: Mapping) -> dict:
        with self._world.lock:
            buckets, name = self._world.buckets, request["bucket"]
            for one in request.get("put", []):
                buckets.put(name, one["key"], one["text"])
            for one in request.get("cover", []):
                buckets.cover(name, one["key"], one["text"])
            return {"removed": [key for key in request.get("remove", []) if buckets.remove(name, key)]}
