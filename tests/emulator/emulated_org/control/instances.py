"""Instances for the control interface: what runs with a role's credentials."""
import secrets
from typing import Callable, Mapping, Tuple

from ..state.instances import STATES, Instance, new_instance_id
from ..state.sessions import new_id
from ..state.world import World

VPC = "vpc-0123456789abcdef0"


class InstanceControl:
    def __init__(self, world: World, account_of: Callable[[Mapping], str]) -> None:
        self._world = world
        self._account_of = account_of

    def create(self, fields: Mapping, query: Mapping) -> dict:
        with self._world.lock:
            account, region = self._account_of(fields), fields["region"]
            self._world.directory.require_region(region)
            state = fields.get("state", "running")
            if state not in STATES:
                raise ValueError(f"state is one of {', '.join(STATES)}")
            profile_arn, profile_id = self._profile(account, fields)
            tags = {"Name": fields.get("name"), "aws:autoscaling:groupName": fields.get("auto_scaling_group")}
            instance = Instance(
                id=fields.get("instance_id") or new_instance_id(),
                reservation_id="r-0" + secrets.token_hex(8),
                state=state,
                profile_arn=profile_arn,
                profile_id=profile_id,
                vpc_id=fields.get("vpc_id", VPC),
                tags={key: value for key, value in tags.items() if value is not None},
                launched_at=self._world.clock.now(),
            )
            self._world.instances.put(account, region, instance)
            return {"instance_id": instance.id}

    def _profile(self, account: str, fields: Mapping) -> Tuple[str, str]:
        """(ARN, id). A profile that is only an ARN may have been deleted since the launch."""
        if ("role" in fields) == ("instance_profile_arn" in fields):
            raise ValueError("an instance has either a role or an instance_profile_arn")
        profiles = self._world.directory.instance_profiles(account)
        if "role" in fields:
            name = fields["role"].lower()
            found = [profile for profile in profiles if profile.name.lower() == name]
            if not found:
                raise ValueError(f"account {account} has no instance profile {fields['role']}: make the role first")
        else:
            found = [profile for profile in profiles if profile.arn == fields["instance_profile_arn"]]
            if not found:
                return fields["instance_profile_arn"], new_id("AIPA", 21)
        return found[0].arn, found[0].id
