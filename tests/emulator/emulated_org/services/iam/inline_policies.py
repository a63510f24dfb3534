"""The inline policies of IAM's roles and users: quota, exact text, and the switches' lies."""
import re
from typing import Dict, Optional, Tuple
from urllib.parse import quote

from ...errors import AwsError
from ...moto_bridge import forward
from ...policy.documents import check_identity_policy
from ...protocol.calls import Answer, Call, xml_answer
from ...state.directory import Directory, inline_policies
from ...state.switches import Switches
from .xml import NAMESPACE, element, empty_answer

# Characters of all inline policies of one entity together.
QUOTAS = {"role": 10240, "user": 2048}
NAME_PATTERN = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class InlinePolicies:
    """Get, Put and Delete of one kind of entity, which is ``role`` or ``user``."""

    def __init__(self, directory: Directory, switches: Switches, kind: str) -> None:
        self._directory = directory
        self._switches = switches
        self._kind = kind
        # (entity's id, policy name) -> the document before the latest change, None for none.
        self._previous: Dict[Tuple[str, str], Optional[str]] = {}

    def reset(self) -> None:
        self._previous.clear()

    def get(self, call: Call, account: str, entity) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(entity).get(name)
        if self._switched(f"get_{self._kind}_policy_stale") and (entity.id, name) in self._previous:
            document = self._previous[entity.id, name]
        if document is None:
            raise self._missing(name)
        result = (
            element(self._kind.capitalize() + "Name", entity.name)
            + element("PolicyName", name)
            + element("PolicyDocument", quote(document, safe=""))
        )
        return xml_answer(call.operation, NAMESPACE, result, call.request_id)

    def put(self, call: Call, account: str, entity) -> Answer:
        name, document = call.params.get("PolicyName", ""), call.params.get("PolicyDocument", "")
        if not NAME_PATTERN.fullmatch(name):
            raise AwsError("ValidationError", f"The specified value for policyName is invalid: {name}", 400)
        check_identity_policy(document)
        self._check_quota(entity, name, document)
        if self._switched(f"put_{self._kind}_policy_ignored"):
            return empty_answer(call)
        previous = inline_policies(entity).get(name)
        put = getattr(self._directory.iam(account), f"put_{self._kind}_policy")
        try:
            put(entity.name, name, document)
        except Exception:
            # It changed nothing. Asked the long way, moto words its refusal itself.
            return forward(call, account)
        self._previous[entity.id, name] = previous
        return empty_answer(call)

    def delete(self, call: Call, account: str, entity) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(entity).get(name)
        if document is None:
            raise self._missing(name)
        if self._switched(f"delete_{self._kind}_policy_ignored"):
            return empty_answer(call)
        entity.delete_policy(name)
        self._previous[entity.id, name] = document
        return empty_answer(call)

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
