"""AWS IAM: moto's, plus the rules of AWS that moto leaves out.

Role names ignore case, inline policies have a quota, protected roles cannot be
changed, and documents are URL-encoded as RFC 3986 says.
"""
import dataclasses
import re
from typing import Dict, Optional, Tuple
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, unescape

from .directory import Directory, inline_policies
from .enforcement import Principal, tags_of
from .errors import AwsError
from .moto_bridge import forward
from .policy import check_identity_policy
from .protocol import Answer, Call, xml_answer
from .simulator import NAMESPACE, Simulator
from .switches import Switches

INLINE_POLICY_QUOTA = 10240
DEFAULT_SESSION_SECONDS = 3600
PROTECTED_PATHS = ("/aws-service-role/", "/aws-reserved/")
READS = ("Get", "List", "Simulate", "Generate")
DOCUMENT = re.compile(r"(<(?:AssumeRolePolicyDocument|PolicyDocument|Document)>)([^<]*)(</)")
QUOTES = {"&quot;": '"', "&apos;": "'"}
NAME_PATTERN = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


class Iam:
    def __init__(self, directory: Directory, simulator: Simulator, switches: Switches) -> None:
        self._directory = directory
        self._simulator = simulator
        self._switches = switches
        # (role id, policy name) -> the document before the latest change, None for none.
        self._previous: Dict[Tuple[str, str], Optional[str]] = {}

    def reset(self) -> None:
        self._previous.clear()

    def handle(self, call: Call, principal: Principal) -> Answer:
        account = principal.account
        if call.operation == "SimulatePrincipalPolicy":
            return self._simulator.simulate(call, account)
        role = self._role_of(call, account)
        if role is not None:
            self._refuse_protected(call, role)
            call = _with_role_name(call, role.name)
        own = {
            "GetRole": self._get_role,
            "GetRolePolicy": self._get_role_policy,
            "PutRolePolicy": self._put_role_policy,
            "DeleteRolePolicy": self._delete_role_policy,
        }
        if call.operation in own:
            if role is None:
                raise no_such_role(call.params.get("RoleName", ""))
            return own[call.operation](call, account, role)
        if call.operation == "PutUserPolicy":
            check_identity_policy(call.params.get("PolicyDocument", ""))
        return _with_encoded_documents(forward(call, account))

    def _role_of(self, call: Call, account: str):
        name = call.params.get("RoleName")
        role = self._directory.role(account, name) if name else None
        if call.operation == "CreateRole" and role is not None:
            raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
        if name and role is None and call.operation != "CreateRole":
            raise no_such_role(name)
        return role

    def _refuse_protected(self, call: Call, role) -> None:
        if role.path.startswith(PROTECTED_PATHS) and not call.operation.startswith(READS):
            raise AwsError(
                "UnmodifiableEntity",
                f"Cannot perform the operation on the protected role '{role.name}' - "
                "this role is only modifiable by AWS",
                400,
            )

    def _get_role(self, call: Call, account: str, role) -> Answer:
        """As moto answers it, in a fraction of the time."""
        return xml_answer("GetRole", NAMESPACE, f"<Role>{_role_fields(role)}</Role>", call.request_id)

    def _get_role_policy(self, call: Call, account: str, role) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(role).get(name)
        if self._switches.get_role_policy_stale and (role.id, name) in self._previous:
            document = self._previous[role.id, name]
        if document is None:
            raise no_such_policy(name)
        result = (
            f"<RoleName>{escape(role.name)}</RoleName><PolicyName>{escape(name)}</PolicyName>"
            f"<PolicyDocument>{quote(document, safe='')}</PolicyDocument>"
        )
        return xml_answer("GetRolePolicy", NAMESPACE, result, call.request_id)

    def _put_role_policy(self, call: Call, account: str, role) -> Answer:
        name, document = call.params.get("PolicyName", ""), call.params.get("PolicyDocument", "")
        if not NAME_PATTERN.fullmatch(name):
            raise AwsError("ValidationError", f"The specified value for policyName is invalid: {name}", 400)
        check_identity_policy(document)
        others = [text for other, text in inline_policies(role).items() if other != name]
        if sum(map(_quota_size, others + [document])) > INLINE_POLICY_QUOTA:
            raise AwsError(
                "LimitExceeded",
                f"Maximum policy size of {INLINE_POLICY_QUOTA} bytes exceeded for role {role.name}",
                409,
            )
        if self._switches.put_role_policy_ignored:
            return _empty_answer(call)
        previous = inline_policies(role).get(name)
        try:
            self._directory.iam(account).put_role_policy(role.name, name, document)
        except Exception:
            # It changed nothing. Asked the long way, moto words its refusal itself.
            return forward(call, account)
        self._previous[role.id, name] = previous
        return _empty_answer(call)

    def _delete_role_policy(self, call: Call, account: str, role) -> Answer:
        name = call.params.get("PolicyName", "")
        document = inline_policies(role).get(name)
        if document is None:
            raise no_such_policy(name)
        self._previous[role.id, name] = document
        return forward(call, account)


def no_such_role(name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def no_such_policy(name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The role policy with name {name} cannot be found.", 404)


def _quota_size(document: str) -> int:
    """IAM does not count white space against the quota."""
    return len(re.sub(r"\s", "", document))


def _role_fields(role) -> str:
    fields = [
        _element("Path", role.path),
        _element("RoleName", role.name),
        _element("RoleId", role.id),
        _element("Arn", role.arn),
        _element("CreateDate", role.create_date.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
        _element("AssumeRolePolicyDocument", quote(role.assume_role_policy_document, safe="")),
    ]
    if role.description is not None:
        fields.append(_element("Description", role.description))
    fields.append(_element("MaxSessionDuration", str(role.max_session_duration or DEFAULT_SESSION_SECONDS)))
    boundary = getattr(role, "permissions_boundary_arn", None)
    if boundary:
        kind = _element("PermissionsBoundaryType", "PermissionsBoundaryPolicy")
        arn = _element("PermissionsBoundaryArn", boundary)
        fields.append(f"<PermissionsBoundary>{kind}{arn}</PermissionsBoundary>")
    tags = [_element("Key", tag["Key"]) + _element("Value", tag["Value"]) for tag in tags_of(role)]
    if tags:
        fields.append("<Tags>" + "".join(f"<member>{tag}</member>" for tag in tags) + "</Tags>")
    # Sessions of the emulator leave no trace in it.
    return "".join(fields) + "<RoleLastUsed/>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _with_role_name(call: Call, name: str) -> Call:
    """The same call with the role's name as it was created, for moto's exact look-ups."""
    if call.params["RoleName"] == name:
        return call
    params = {**call.params, "RoleName": name}
    body = urlencode({"Action": call.operation, "Version": "2010-05-08", **params})
    return dataclasses.replace(call, params=params, body=body.encode())


def _with_encoded_documents(answer: Answer) -> Answer:
    """moto answers trust policies as they are, where AWS percent-encodes them."""

    def encode(match) -> str:
        opening, text, closing = match.groups()
        is_plain = text.lstrip().startswith("{")
        return opening + (quote(unescape(text, QUOTES), safe="") if is_plain else text) + closing

    return dataclasses.replace(answer, body=DOCUMENT.sub(encode, answer.body.decode()).encode())


def _empty_answer(call: Call) -> Answer:
    body = (
        f'<{call.operation}Response xmlns="{NAMESPACE}"><ResponseMetadata>'
        f"<RequestId>{call.request_id}</RequestId></ResponseMetadata></{call.operation}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())
