"""Policies of an organization: their documents, what they are attached to, and AWS's rules about both."""
import json
from typing import Dict, List

from ...errors import AwsError
from ...policy.documents import check_identity_policy
from ...protocol.answers import Answer, json_answer
from ...protocol.calls import Call
from ...state.directory import SERVICE_CONTROL_POLICY
from ...state.world import World
from .pages import page_answer

LENGTHS = {"Name": 128, "Description": 512}


class Policies:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._switches = world.switches
        self.operations = {
            "CreatePolicy": self._create,
            "UpdatePolicy": self._update,
            "DeletePolicy": self._delete,
            "DescribePolicy": self._describe,
            "AttachPolicy": self._attach,
            "DetachPolicy": self._detach,
            "ListPolicies": self._list,
            "ListPoliciesForTarget": self._list_for_target,
            "ListTargetsForPolicy": self._list_targets,
        }

    def _create(self, call: Call) -> Answer:
        body, organization = call.json_body(), self._directory.organization
        missing = {"Content", "Description", "Name", "Type"} - set(body)
        if missing:
            raise invalid(f"You must specify {sorted(missing)}.", "INPUT_REQUIRED")
        self._check(body, body["Type"])
        of_type = [policy for policy in organization.policies if policy.type == body["Type"]]
        if any(policy.name == body["Name"] for policy in organization.policies):
            raise duplicate_name()
        if len(of_type) >= self._switches.organizations_policies_quota:
            raise limit("You have reached the number of policies.", "POLICY_NUMBER_LIMIT_EXCEEDED")
        organization.create_policy(**body)
        policy = organization.policies[-1]
        if self._switches.organizations_create_policy_ignored:
            organization.policies.pop()
        return self._described(call, policy)

    def _update(self, call: Call) -> Answer:
        policy, body = self._own_policy(call), call.json_body()
        changes = {name: body[name] for name in ("Name", "Description", "Content") if name in body}
        self._check(changes, policy.type)
        others = [one for one in self._directory.organization.policies if one is not policy]
        if any(other.name == changes.get("Name") for other in others):
            raise duplicate_name()
        if not self._switches.organizations_update_policy_ignored:
            policy.before = (policy.name, policy.description, policy.content)
            for name, value in changes.items():
                setattr(policy, name.lower(), value)
            return self._described(call, policy)
        # It answers what was asked for.
        answer = {**self._summary(policy), **{name: value for name, value in changes.items() if name != "Content"}}
        content = changes.get("Content", policy.content)
        return json_answer(call, {"Policy": {"PolicySummary": answer, "Content": content}})

    def _delete(self, call: Call) -> Answer:
        policy = self._own_policy(call)
        if policy.attachments:
            raise AwsError("PolicyInUseException", "The policy is attached to one or more entities.")
        if not self._switches.organizations_delete_policy_ignored:
            self._directory.organization.policies.remove(policy)
        return json_answer(call, {})

    def _describe(self, call: Call) -> Answer:
        policy = self._policy(call)
        return self._described(call, policy, self._switches.organizations_describe_policy_stale)

    def _attach(self, call: Call) -> Answer:
        policy, target = self._policy(call), self._target(call)
        if not self._directory.is_policy_type_enabled(policy.type):
            raise AwsError("PolicyTypeNotEnabledException", "This policy type isn't enabled for the root.")
        if policy in target.attached_policies:
            raise AwsError("DuplicatePolicyAttachmentException", "The policy is already attached to the target.")
        if len(_of_type(target, policy.type)) >= self._switches.organizations_attachments_quota:
            message = "You have attached the maximum number of policies to the target."
            raise limit(message, "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
        if not self._switches.organizations_attach_policy_ignored:
            self._keep_attachments()
            target.attached_policies.append(policy)
            policy.attachments.append(target)
        return json_answer(call, {})

    def _detach(self, call: Call) -> Answer:
        policy, target = self._policy(call), self._target(call)
        if policy not in target.attached_policies:
            raise AwsError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
        if policy.type == SERVICE_CONTROL_POLICY and len(_of_type(target, policy.type)) == 1:
            message = "You cannot remove the last policy attached to the specified target."
            raise limit(message, "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")
        if not self._switches.organizations_detach_policy_ignored:
            self._keep_attachments()
            target.attached_policies.remove(policy)
            policy.attachments.remove(target)
        return json_answer(call, {})

    def _list(self, call: Call) -> Answer:
        kind = call.params.get("Filter")
        listed = [policy for policy in self._directory.organization.policies if policy.type == kind]
        return self._page(call, "Policies", [self._summary(policy) for policy in listed])

    def _list_for_target(self, call: Call) -> Answer:
        target, kind = self._target(call), call.params.get("Filter")
        listed = [policy for policy in self._attached(target) if policy.type == kind]
        return self._page(call, "Policies", [self._summary(policy) for policy in listed])

    def _list_targets(self, call: Call) -> Answer:
        policy = self._policy(call)
        targets = [target for target in self._directory.policy_targets() if policy in self._attached(target)]
        named = [{"TargetId": one.id, "Arn": one.arn, "Name": one.name, "Type": one.type} for one in targets]
        return self._page(call, "Targets", named)

    def _page(self, call: Call, name: str, items: list) -> Answer:
        return page_answer(call, name, items, self._switches.organizations_empty_first_page)

    def _attached(self, target) -> list:
        """What is attached to a target, or was before the latest change of attachments."""
        if self._switches.organizations_attachments_stale:
            return getattr(target, "attached_before", target.attached_policies)
        return target.attached_policies

    def _keep_attachments(self) -> None:
        for target in self._directory.policy_targets():
            target.attached_before = list(target.attached_policies)

    def _policy(self, call: Call):
        wanted = call.params.get("PolicyId")
        for policy in self._directory.organization.policies:
            if policy.id == wanted:
                return policy
        raise AwsError("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")

    def _own_policy(self, call: Call):
        policy = self._policy(call)
        if policy.aws_managed:
            raise invalid("You can't change a policy that is managed by AWS.", "IMMUTABLE_POLICY")
        return policy

    def _target(self, call: Call):
        wanted = call.params.get("TargetId")
        for target in self._directory.policy_targets():
            if target.id == wanted:
                return target
        raise AwsError("TargetNotFoundException", "We can't find a root, OU, or account with the TargetId.")

    def _check(self, body: Dict[str, str], kind: str) -> None:
        for name, longest in LENGTHS.items():
            if len(body.get(name, "")) > longest:
                raise invalid(f"{name} is too long.", "MAX_LENGTH_EXCEEDED")
        content = body.get("Content")
        if content is None:
            return
        # As it comes, white space included: only the console leaves that out.
        if kind == SERVICE_CONTROL_POLICY and len(content.encode()) > self._switches.organizations_policy_size_quota:
            raise limit("You have exceeded the maximum policy size.", "POLICY_CONTENT_LIMIT_EXCEEDED")
        try:
            if kind == SERVICE_CONTROL_POLICY:
                check_identity_policy(content)
            else:
                json.loads(content)
        except (AwsError, ValueError):
            message = "The provided policy document does not meet the requirements of the specified policy type."
            raise AwsError("MalformedPolicyDocumentException", message) from None

    def _summary(self, policy) -> dict:
        return {
            "Id": policy.id,
            "Arn": self._directory.arn_in_organization(policy),
            "Name": policy.name,
            "Description": policy.description,
            "Type": policy.type,
            "AwsManaged": policy.aws_managed,
        }

    def _described(self, call: Call, policy, is_stale: bool = False) -> Answer:
        summary, content = self._summary(policy), policy.content
        if is_stale and hasattr(policy, "before"):
            summary["Name"], summary["Description"], content = policy.before
        return json_answer(call, {"Policy": {"PolicySummary": summary, "Content": content}})


def _of_type(target, kind: str) -> List:
    return [policy for policy in target.attached_policies if policy.type == kind]


def limit(message: str, reason: str) -> AwsError:
    return AwsError("ConstraintViolationException", message, Reason=reason)


def invalid(message: str, reason: str) -> AwsError:
    return AwsError("InvalidInputException", message, Reason=reason)


def duplicate_name() -> AwsError:
    return AwsError("DuplicatePolicyException", "A policy with the same name already exists.")
