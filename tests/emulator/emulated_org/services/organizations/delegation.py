"""Who may manage the organization: its management account, and whom its resource policy delegates to.

A caller in another account needs both: its own policies, which are asked before, and the organization's.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
"""
import secrets

from ...enforcement import Enforcement, Principal
from ...errors import AccessDenied, AwsError
from ...policy.documents import Decision, Policy, Request, evaluate
from ...policy.principals import named_as
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ...state.world import World
from ..questions import questions_of

SIZE_LIMIT = 40000
DELEGABLE_CHANGES = {
    "AttachPolicy",
    "CreatePolicy",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "TagResource",
    "UntagResource",
    "UpdatePolicy",
}


class Delegation:
    def __init__(self, world: World, enforcement: Enforcement) -> None:
        self._directory = world.directory
        self._clock = world.clock
        self._enforcement = enforcement
        self.operations = {
            "PutResourcePolicy": self._put,
            "DescribeResourcePolicy": self._describe,
            "DeleteResourcePolicy": self._delete,
        }

    def require(self, call: Call, principal: Principal) -> None:
        """AccessDenied unless the caller is in the management account, or the organization lets it in."""
        directory = self._directory
        if principal.account == directory.management_id or call.operation == "DescribeOrganization":
            return
        decisions = [
            self._decision(principal, asked) for asked in questions_of(call, principal.account, directory)
        ]
        if not any(decision.explicitly_denied for decision in decisions):
            if call.is_read and directory.is_delegated_administrator(principal.account):
                # Of any service: who administers one may read.
                return
            is_delegable = call.is_read or call.operation in DELEGABLE_CHANGES
            if is_delegable and all(decision.allowed for decision in decisions):
                return
        raise AccessDenied("You don't have permissions to access this resource.")

    def _decision(self, principal: Principal, asked: Request) -> Decision:
        if self._directory.resource_policy is None:
            return evaluate([], asked)
        context = {**self._enforcement.context(principal, self._clock.now()), **asked.context}
        arns = {principal.arn, principal.principal_arn}
        policy = Policy.parse(self._directory.resource_policy[1])
        about = [
            statement for statement in policy.statements
            if named_as(statement, principal.account, arns, self._directory.partition)
        ]
        return evaluate([Policy(about)], Request(asked.action, asked.resource, context))

    def _put(self, call: Call) -> Answer:
        content = call.params.get("Content", "")
        if not 1 <= len(content) <= SIZE_LIMIT:
            raise AwsError("InvalidInputException", f"The policy has not 1 to {SIZE_LIMIT} characters.")
        try:
            statements = Policy.parse(content).statements
        except AwsError as error:
            raise AwsError("InvalidInputException", error.message) from None
        if not statements or any("Principal" not in statement for statement in statements):
            raise AwsError("InvalidInputException", "Each statement of a resource policy names a principal.")
        id = self._directory.resource_policy[0] if self._directory.resource_policy else f"rp-{secrets.token_hex(4)}"
        # An organization has one: it takes the place of the one before.
        self._directory.resource_policy = (id, content)
        return self._describe(call)

    def _describe(self, call: Call) -> Answer:
        id, content = self._there()
        arn = self._directory.organization_arn("resourcepolicy", id)
        summary = {"Id": id, "Arn": arn}
        return json_answer(call, {"ResourcePolicy": {"ResourcePolicySummary": summary, "Content": content}})

    def _delete(self, call: Call) -> Answer:
        self._there()
        self._directory.resource_policy = None
        return json_answer(call, {})

    def _there(self):
        if self._directory.resource_policy is None:
            raise AwsError("ResourcePolicyNotFoundException", "We can't find a resource policy.")
        return self._directory.resource_policy
