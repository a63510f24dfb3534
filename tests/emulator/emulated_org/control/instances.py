"""EC2 instances: what runs with a role's credentials."""
import secrets
from typing import Mapping, Tuple

from ..state.ids import new_id, new_instance_id
from ..state.instances import STATES, Instance
from .door import Door, Routes

VPC = "vpc-0123456789abcdef0"


class Instances(Door):
    @property
    def routes(self) -> Routes:
        return {("POST", "instances"): self._create}

    def _create(self, request: Mapping) -> dict:
        with self._world.lock:
            account, region = self._place(request)
            state = request.get("state", "running")
            if state not in STATES:
                raise ValueError(f"state is one of {', '.join(STATES)}")
            profile_arn, profile_id = self._profile(account, request)
            tags = {"Name": request.get("name"), "aws:autoscaling:groupName": request.get("auto_scaling_group")}
            instance = Instance(
                id=request.get("instance_id") or new_instance_id(),
                reservation_id="r-0" + secrets.token_hex(8),
                state=state,
                profile_arn=profile_arn,
                profile_id=profile_id,
                vpc_id=request.get("vpc_id", VPC),
                tags={key: value for key, value in tags.items() if value is not None},
                launched_at=self._world.clock.now(),
            )
            self._world.instances.put(account, region, instance)
            return {"instance_id": instance.id}

    def _profile(self, account: str, request: Mapping) -> Tuple[str, str]:
        """(ARN, id). A profile that is only an ARN may have been deleted since the launch."""
        if ("role" in request) == ("instance_profile_arn" in request):
            raise ValueError("an instance has either a role or an instance_profile_arn")
        profiles = self._directory.instance_profiles(account)
        if "role" in request:
            name = request["role"].lower()
            found = [profile for profile in profiles if profile.name.lower() == name]
            if not found:
                raise ValueError(f"account {account} has no instance profile {request['role']}: make the role first")
        else:
            found = [profile for profile in profiles if profile.arn == request["instance_profile_arn"]]
            if not found:
                return request["instance_profile_arn"], new_id("AIPA", 21)
        return found[0].arn, found[0].id
