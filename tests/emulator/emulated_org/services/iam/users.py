"""IAM users and their access keys, as a remediation reads and changes them."""
from ...errors import AwsError
from ...moto_bridge import forward
from ...protocol.answers import Answer, element
from ...protocol.calls import Call
from ...state.directory import tags_of
from ...state.world import World
from .inline_policies import InlinePolicies
from .managed_policies import ManagedPolicies
from .xml import boundary, created, iam_answer, named_fields, page, tag_list

STATUSES = ("Active", "Inactive")
# Without a UserName these are about the caller itself, if it is a user.
ABOUT_THE_CALLER = ("GetUser", "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")


class IamUsers:
    def __init__(self, world: World, managed: ManagedPolicies) -> None:
        self._directory = world.directory
        self._switches = world.switches
        self._policies = InlinePolicies(world, "user")
        self.operations = {
            "GetUser": self._get_user,
            "ListAccessKeys": self._list_access_keys,
            "UpdateAccessKey": self._update_access_key,
            "GetUserPolicy": self._policies.get,
            "PutUserPolicy": self._policies.put,
            "DeleteUserPolicy": self._policies.delete,
            "AttachUserPolicy": managed.attach,
            "PutUserPermissionsBoundary": self._put_boundary,
            "DeleteUserPermissionsBoundary": self._delete_boundary,
            "DeleteUser": self._delete,
        }

    def named_by(self, call: Call, principal):
        """The user a call is about, None for none; NoSuchEntity if it names one that is missing."""
        name = call.params.get("UserName")
        if not name:
            if call.operation not in ABOUT_THE_CALLER or principal.kind != "user":
                return None
            name = principal.entity.name
        user = self._directory.user(principal.account, name)
        if call.operation == "CreateUser":
            if user is not None:
                raise AwsError("EntityAlreadyExists", f"User with name {name} already exists.", 409)
        elif user is None:
            raise no_such_user(name)
        return user

    def create(self, call: Call, account: str) -> Answer:
        forward(call, account)
        user = self._directory.user(account, call.params["UserName"])
        self._directory.identify_user(user)
        user.permissions_boundary_arn = call.params.get("PermissionsBoundary")
        return self._get_user(call, account, user)

    def _delete(self, call: Call, account: str, user) -> Answer:
        if user.access_keys:
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
        return forward(call, account)

    def _put_boundary(self, call: Call, account: str, user) -> Answer:
        arn = call.params.get("PermissionsBoundary", "")
        if self._directory.managed_document(account, arn) is None:
            raise AwsError("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)
        user.permissions_boundary_arn = arn
        return iam_answer(call)

    def _delete_boundary(self, call: Call, account: str, user) -> Answer:
        if not getattr(user, "permissions_boundary_arn", None):
            raise AwsError("NoSuchEntity", f"User {user.name} does not have a permissions boundary.", 404)
        user.permissions_boundary_arn = None
        return iam_answer(call)

    def _get_user(self, call: Call, account: str, user) -> Answer:
        fields = named_fields("User", user) + boundary(user) + tag_list(tags_of(user))
        return iam_answer(call, f"<User>{fields}</User>")

    def _list_access_keys(self, call: Call, account: str, user) -> Answer:
        keys, rest = page(call.params, list(user.access_keys))
        listed = [
            element("UserName", user.name)
            + element("AccessKeyId", key.access_key_id)
            + element("Status", key.status)
            + created(key)
            for key in keys
        ]
        members = "".join(f"<member>{key}</member>" for key in listed)
        result = f"<AccessKeyMetadata>{members}</AccessKeyMetadata>{rest}"
        return iam_answer(call, result)

    def _update_access_key(self, call: Call, account: str, user) -> Answer:
        id, status = call.params.get("AccessKeyId", ""), call.params.get("Status", "")
        if status not in STATUSES:
            raise AwsError("ValidationError", f"Value '{status}' at 'status' is not one of {', '.join(STATUSES)}", 400)
        key = next((key for key in user.access_keys if key.access_key_id == id), None)
        if key is None:
            raise AwsError("NoSuchEntity", f"The Access Key with id {id} cannot be found.", 404)
        if not self._switches.update_access_key_ignored:
            key.status = status
        return iam_answer(call)


def no_such_user(name: str) -> AwsError:
    return AwsError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
