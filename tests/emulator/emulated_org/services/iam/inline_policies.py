"""The inline policies of IAM's roles and users: quota, exact text, and the switches' lies."""
import re
from urllib.parse import quote

from ...errors import AwsError
from ...moto_bridge import forward
from ...policy.documents import check_identity_policy
from ...protocol.answers import Answer, element
from ...protocol.calls import Call
from ...state.directory import inline_policies
from ...state.world import World
from .xml import iam_answer

# Characters of all inline policies of one entity together.
QUOTAS = {"role": 10240, "user": 2048}
NAME_PATTERN = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class InlinePolicies:
    """Get, Put and Delete of one kind of entity, which is ``role`` or ``user``."""

    def __init__(self, world: World, kind: str) -> None:
        self._directory = world.directory
        self._switches = world.switches
        self._kind = kind

    def get(self, call: Call, account: str, entity) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(entity).get(name)
        earlier = self._directory.earlier_documents
        if self._switched(f"get_{self._kind}_policy_stale") and (entity.id, name) in earlier:
            document = earlier[entity.id, name]
        if document is None:
            raise self._missing(name)
        result = (
            element(self._kind.capitalize() + "Name", entity.name)
            + element("PolicyName", name)
            + element("PolicyDocument", quote(document, safe=""))
        )
        return iam_answer(call, result)

    def put(self, call: Call, account: str, entity) -> Answer:
        name, document = call.params.get("PolicyName", ""), call.params.get("PolicyDocument", "")
        if not NAME_PATTERN.fullmatch(name):
            raise AwsError("ValidationError", f"The specified value for policyName is invalid: {name}", 400)
        check_identity_policy(document)
        self._check_quota(entity, name, document)
        if self._switched(f"put_{self._kind}_policy_ignored"):
            return iam_answer(call)
        previous = inline_policies(entity).get(name)
        put = getattr(self._directory.iam(account), f"put_{self._kind}_policy")
        try:
            put(entity.name, name, document)
        except Exception:
            # It changed nothing. Asked the long way, moto words its refusal itself.
            return forward(call, account)
        self._directory.earlier_documents[entity.id, name] = previous
        return iam_answer(call)

    def delete(self, call: Call, account: str, entity) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(entity).get(name)
        if document is None:
            raise self._missing(name)
        if self._switched(f"delete_{self._kind}_policy_ignored"):
            return iam_answer(call)
        entity.delete_policy(name)
        self._directory.earlier_documents[entity.id, name] = document
        return iam_answer(call)

    def _check_quota(self, entity, name: str, document: str) -> None:
        quota = QUOTAS[self._kind]
        others = [text for other, text in inline_policies(entity).items() if other != name]
        if sum(map(_quota_size, others + [document])) > quota:
            message = f"Maximum policy size of {quota} bytes exceeded for {self._kind} {entity.name}"
            raise AwsError("LimitExceeded", message, 409)

    def _switched(self, name: str) -> bool:
        return getattr(self._switches, name)

    def _missing(self, name: str) -> AwsError:
        return AwsError("NoSuchEntity", f"The {self._kind} policy with name {name} cannot be found.", 404)


def _quota_size(document: str) -> int:
    """IAM does not count white space against the quota."""
    return len(re.sub(r"\s", "", document))
