"""IAM users for the control interface: victims with long-term keys."""
import json
from typing import Callable, Mapping

from ..state.sessions import new_id
from ..state.world import World

KEY_LIMIT = 2


class UserControl:
    def __init__(self, world: World, account_of: Callable[[Mapping], str]) -> None:
        self._world = world
        self._account_of = account_of

    def create(self, fields: Mapping, query: Mapping) -> dict:
        directory = self._world.directory
        with self._world.lock:
            account, name, keys = self._account_of(fields), fields["name"], fields.get("keys", 1)
            if keys not in range(KEY_LIMIT + 1):
                raise ValueError(f"a user has at most {KEY_LIMIT} keys, not {keys}")
            if directory.user(account, name) is not None:
                raise ValueError(f"account {account} already has a user {name}")
            iam = directory.iam(account)
            user = iam.create_user(directory.main_region, name, fields.get("path", "/"))
            # moto's ids do not tell that they are of a user.
            user.id = new_id("AIDA", 21)
            if fields.get("policy") is not None:
                # Unchecked on purpose: a test may want a document that IAM would refuse.
                user.put_policy(fields.get("policy_name", "permissions"), json.dumps(fields["policy"]))
            created = [iam.create_access_key(user.name) for _ in range(keys)]
            return {
                "user_id": user.id,
                "arn": user.arn,
                "access_keys": [
                    {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key} for key in created
                ],
            }
