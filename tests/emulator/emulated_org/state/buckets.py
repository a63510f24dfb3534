"""S3's buckets as tests make and change them. What is in them is moto's."""
from importlib import import_module
from typing import List, Optional, Tuple

from .named import Named


class Buckets:
    """All buckets that were made here, by name, of which there are no two. Whoever uses it holds the world's lock."""

    def __init__(self) -> None:
        self._places: Named[Tuple[str, str]] = Named("bucket", "buckets")

    def reset(self) -> None:
        self._places.clear()

    def owner(self, name: str) -> Optional[str]:
        """The account of a bucket, if it was made here."""
        place = self._places.find(name)
        return place[0] if place else None

    def create(self, account: str, partition: str, region: str, name: str, lock: Optional[dict], versioned: bool) -> str:
        """The ARN of a bucket. With a lock its objects can be locked, and are for so long if the lock has `days`."""
        self._places.add(name, (account, partition))
        bucket = self._backend(name).create_bucket(name, region)
        bucket.object_lock_enabled = lock is not None
        bucket.versioning_status = "Enabled" if versioned else None
        if lock and lock.get("days"):
            bucket.default_lock_mode = lock.get("mode", "COMPLIANCE")
            bucket.default_lock_days, bucket.default_lock_years = lock["days"], 0
        return f"arn:{partition}:s3:::{name}"

    def objects(self, name: str) -> List[dict]:
        """All objects by key, as a client that may read everything would find them."""
        keys = self._backend(name).get_bucket(name).keys
        return [
            {
                "key": key,
                "text": keys[key].value.decode("utf-8", "replace"),
                "content_type": keys[key].metadata.get("Content-Type"),
                "mode": keys[key].lock_mode,
                "retained_until": keys[key].lock_until,
                "versions": len(keys.getlist(key)),
            }
            for key in sorted(keys)
        ]

    def put(self, name: str, key: str, text: str) -> None:
        """Puts an object, whether one stands there or not, and whatever the lock says."""
        self.remove(name, key)
        self._backend(name).put_object(name, key, text.encode())

    def cover(self, name: str, key: str, text: Optional[str]) -> None:
        """Puts a later version over an object, or a marker that says it was deleted: what stands there stays."""
        if text is None:
            self._backend(name).delete_object(name, key)
        else:
            self._backend(name).put_object(name, key, text.encode())

    def remove(self, name: str, key: str) -> bool:
        keys = self._backend(name).get_bucket(name).keys
        if key not in keys:
            return False
        # moto's own would leave earlier versions.
        dict.pop(keys, key)
        return True

    def _backend(self, name: str):
        account, partition = self._places.named(name)
        # Imported when the first bucket is made: most tests have none.
        return import_module("moto.s3.models").s3_backends[account][partition]
