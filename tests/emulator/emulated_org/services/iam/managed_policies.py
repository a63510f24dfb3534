"""Managed policies: what keeps them from being attached, deleted or made too large."""
import re

from ...errors import AccessDenied, AwsError
from ...moto_bridge import forward
from ...policy.documents import check_identity_policy
from ...protocol.answers import Answer
from ...protocol.calls import Call
from ...state.directory import account_of
from ...state.world import World
from .xml import iam_answer

# Characters of one document, white space not counted.
SIZE_QUOTA = 6144
WITH_DOCUMENTS = ("CreatePolicy", "CreatePolicyVersion")
CHANGES = ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion", "DeletePolicy")


class ManagedPolicies:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._switches = world.switches

    def attach(self, call: Call, account: str, entity) -> Answer:
        """To a role or a user. What is attached already stays so."""
        arn, quota = call.params.get("PolicyArn", ""), self._switches.attached_policies_quota
        if arn in entity.managed_policies:
            return iam_answer(call)
        if self._directory.managed_document(account, arn) and len(entity.managed_policies) >= quota:
            kind = "Role" if "RoleName" in call.params else "User"
            raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {quota:g}", 409)
        return forward(call, account)

    def check(self, call: Call, account: str) -> None:
        """Refuses what moto would let pass."""
        if call.operation in WITH_DOCUMENTS:
            document = call.params.get("PolicyDocument", "")
            check_identity_policy(document)
            if len(re.sub(r"\s", "", document)) > SIZE_QUOTA:
                raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {SIZE_QUOTA}", 409)
        arn = call.params.get("PolicyArn", "")
        if call.operation in CHANGES and account_of(arn) == "aws":
            raise AccessDenied(f"Policy {arn} is managed by AWS")
        if call.operation == "DeletePolicy":
            self._check_deletion(account, arn)

    def _check_deletion(self, account: str, arn: str) -> None:
        iam = self._directory.iam(account)
        holders = [*iam.get_roles(), *iam.users.values(), *iam.groups.values()]
        if any(arn in holder.managed_policies for holder in holders):
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
        policy = iam.managed_policies.get(arn)
        if policy is not None and len(policy.versions) > 1:
            message = "This policy has more than one version. Before you delete a policy, you must delete the others."
            raise AwsError("DeleteConflict", message, 409)
