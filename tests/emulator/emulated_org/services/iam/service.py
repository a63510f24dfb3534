"""AWS IAM: moto's, plus the rules of AWS that moto leaves out.

Names ignore case, inline policies have a quota, protected roles cannot be
changed, and documents are URL-encoded as RFC 3986 says.
"""
import dataclasses
import re
from urllib.parse import quote, urlencode
from xml.sax.saxutils import unescape

from ...enforcement import Principal
from ...errors import AwsError
from ...moto_bridge import forward
from ...protocol.answers import Answer, element
from ...protocol.calls import Call
from ...state.directory import tags_of
from ...state.world import World
from .inline_policies import InlinePolicies
from .managed_policies import ManagedPolicies
from .simulator import Simulator
from .users import IamUsers
from .xml import boundary, iam_answer, named_fields, page, tag_list

DEFAULT_SESSION_SECONDS = 3600
PROTECTED_PATHS = ("/aws-service-role/", "/aws-reserved/")
READS = ("Get", "List", "Simulate", "Generate")
DOCUMENT = re.compile(r"(<(?:AssumeRolePolicyDocument|PolicyDocument|Document)>)([^<]*)(</)")
QUOTES = {"&quot;": '"', "&apos;": "'"}


class Iam:
    def __init__(self, world: World) -> None:
        self._directory = world.directory
        self._simulator = Simulator(world)
        self._policies = InlinePolicies(world, "role")
        self._managed = ManagedPolicies(world)
        self._users = IamUsers(world, self._managed)

    def handle(self, call: Call, principal: Principal) -> Answer:
        account = principal.account
        if call.operation == "SimulatePrincipalPolicy":
            return self._simulator.simulate(call, account)
        role = self._role_of(call, account)
        if role is not None:
            self._refuse_protected(call, role)
            call = _with_name(call, "RoleName", role.name)
        own = {
            "GetRole": self._get_role,
            "GetRolePolicy": self._policies.get,
            "PutRolePolicy": self._policies.put,
            "DeleteRolePolicy": self._policies.delete,
            "AttachRolePolicy": self._managed.attach,
            "ListInstanceProfilesForRole": self._list_instance_profiles,
        }
        if call.operation in own:
            if role is None:
                raise no_such_role(call.params.get("RoleName", ""))
            return own[call.operation](call, account, role)
        user = self._users.named_by(call, principal)
        if user is not None:
            call = _with_name(call, "UserName", user.name)
        if call.operation in self._users.operations:
            if user is None:
                raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials", 400)
            return self._users.operations[call.operation](call, account, user)
        if call.operation == "CreateUser":
            return self._users.create(call, account)
        self._managed.check(call, account)
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
        return iam_answer(call, f"<Role>{_role_fields(role)}</Role>")

    def _list_instance_profiles(self, call: Call, account: str, role) -> Answer:
        profiles = self._directory.instance_profiles(account)
        having = [profile for profile in profiles if any(listed.id == role.id for listed in profile.roles)]
        listed, rest = page(call.params, having)
        members = "".join(f"<member>{_profile_fields(profile)}</member>" for profile in listed)
        result = f"<InstanceProfiles>{members}</InstanceProfiles>{rest}"
        return iam_answer(call, result)


def no_such_role(name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def _role_fields(role) -> str:
    fields = [
        named_fields("Role", role),
        element("AssumeRolePolicyDocument", quote(role.assume_role_policy_document, safe="")),
    ]
    if role.description is not None:
        fields.append(element("Description", role.description))
    fields.append(element("MaxSessionDuration", str(role.max_session_duration or DEFAULT_SESSION_SECONDS)))
    fields += [boundary(role), tag_list(tags_of(role))]
    # Sessions of the emulator leave no trace in it.
    return "".join(fields) + "<RoleLastUsed/>"


def _profile_fields(profile) -> str:
    roles = "".join(f"<member>{_role_fields(role)}</member>" for role in profile.roles)
    return f"{named_fields('InstanceProfile', profile)}<Roles>{roles}</Roles>"


def _with_name(call: Call, parameter: str, name: str) -> Call:
    """The same call with an entity's name as it was created, for moto's exact look-ups."""
    if call.params.get(parameter) == name:
        return call
    params = {**call.params, parameter: name}
    body = urlencode({"Action": call.operation, "Version": "2010-05-08", **params})
    return dataclasses.replace(call, params=params, body=body.encode())


def _with_encoded_documents(answer: Answer) -> Answer:
    """moto answers trust policies as they are, where AWS percent-encodes them."""

    def encode(match) -> str:
        opening, text, closing = match.groups()
        is_plain = text.lstrip().startswith("{")
        return opening + (quote(unescape(text, QUOTES), safe="") if is_plain else text) + closing

    return dataclasses.replace(answer, body=DOCUMENT.sub(encode, answer.body.decode()).encode())
