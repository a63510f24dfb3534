"""IAM roles and users, and credentials of theirs: victims, thieves, and whoever else a scene needs."""
import json
import secrets
from typing import Mapping, Optional

from moto.iam.models import ManagedPolicy

from ..policy.documents import Policy
from ..state.directory import EVERYTHING, Directory
from ..state.ids import new_id
from ..state.sessions import Session
from ..times import parse_time, whole_seconds
from .door import Door, Routes

KEY_LIMIT = 2
SIX_HOURS = 21600


class Entities(Door):
    @property
    def routes(self) -> Routes:
        return {
            ("POST", "roles"): self._create_role,
            ("POST", "users"): self._create_user,
            ("POST", "policies"): self._create_policy,
            ("POST", "root-keys"): self._create_root_key,
            ("POST", "sessions"): self._issue_session,
        }

    def _create_role(self, request: Mapping) -> dict:
        with self._world.lock:
            account = self._account(request)
            instance_profile = request.get("instance_profile", True)
            default = service_trust("ec2") if instance_profile else account_trust(self._directory.partition, account)
            role = create_role(
                self._directory,
                account,
                request["name"],
                request.get("policy"),
                request.get("trust") or default,
                path=request.get("path", "/"),
                policy_name=request.get("policy_name", "permissions"),
                instance_profile=instance_profile,
                max_session_duration=request.get("max_session_duration", 3600),
            )
            return {"arn": role.arn, "role_id": role.id}

    def _create_user(self, request: Mapping) -> dict:
        with self._world.lock:
            account, name, keys = self._account(request), request["name"], request.get("keys", 1)
            if keys not in range(KEY_LIMIT + 1):
                raise ValueError(f"a user has at most {KEY_LIMIT} keys, not {keys}")
            if self._directory.user(account, name) is not None:
                raise ValueError(f"account {account} already has a user {name}")
            user = create_user(self._directory, account, name, request.get("path", "/"))
            if request.get("policy") is not None:
                # Unchecked on purpose: a test may want a document that IAM would refuse.
                user.put_policy(request.get("policy_name", "permissions"), json.dumps(request["policy"]))
            access_keys = [create_access_key(self._directory, account, user) for _ in range(keys)]
            return {"user_id": user.id, "arn": user.arn, "access_keys": access_keys}

    def _create_policy(self, request: Mapping) -> dict:
        with self._world.lock:
            account = self._account(request)
            return {"arn": create_managed_policy(self._directory, account, request["name"], request["document"])}

    def _create_root_key(self, request: Mapping) -> dict:
        with self._world.lock:
            account = self._account(request)
            return {"principal_id": account, **self._world.root_keys.create(account)}

    def _issue_session(self, request: Mapping) -> dict:
        with self._world.lock:
            account, issued_at = self._account(request), request.get("issued_at")
            moment = parse_time(issued_at) if issued_at else self._world.clock.now()
            duration = int(request.get("duration", SIX_HOURS))
            if request.get("root"):
                session = self._world.sessions.issue_for_root(account, moment, duration)
            elif "user" in request:
                session = self._issue_for_user(account, request, moment, duration)
            else:
                name = request.get("session_name") or "i-" + secrets.token_hex(8) + "0"
                session = self._issue_for_role(account, request["role"], name, moment, duration)
            return {
                **credentials(session),
                "principal_id": session.user_id,
                "issued_at": whole_seconds(session.issued_at),
                "expiration": whole_seconds(session.expires_at),
            }

    def _issue_for_role(self, account: str, name: str, session_name: str, issued_at, duration: int) -> Session:
        """A session as the EC2 service issues it to an instance."""
        role = self._directory.role(account, name)
        if role is None:
            raise ValueError(f"account {account} has no role {name}")
        return self._world.sessions.issue_for_role(role, session_name, issued_at, duration)

    def _issue_for_user(self, account: str, request: Mapping, issued_at, duration: int) -> Session:
        """A session as GetSessionToken issues it to an IAM user, or GetFederationToken for somebody."""
        name, sessions = request["user"], self._world.sessions
        user = self._directory.user(account, name)
        if user is None:
            raise ValueError(f"account {account} has no user {name}")
        if "federated_user" not in request:
            return sessions.issue_for_user(account, user, issued_at, duration)
        policies = [Policy.parse(request.get("policy") or EVERYTHING)]
        return sessions.issue_for_federated_user(
            account, user, request["federated_user"], issued_at, duration, policies
        )


def create_role(
    directory: Directory,
    account: str,
    name: str,
    policy: Optional[Mapping],
    trust: Mapping,
    path: str = "/",
    policy_name: str = "permissions",
    instance_profile: bool = False,
    max_session_duration: int = 3600,
):
    if directory.role(account, name) is not None:
        raise ValueError(f"account {account} already has a role {name}")
    iam = directory.iam(account)
    role = iam.create_role(name, json.dumps(trust), path, None, "", [], str(max_session_duration))
    if policy is not None:
        # Unchecked on purpose: a test may want a document that IAM would refuse.
        role.put_policy(policy_name, json.dumps(policy))
    if instance_profile:
        profile = iam.create_instance_profile(name, path, [name], [])
        profile.id = new_id("AIPA", 21)
    return role


def create_user(directory: Directory, account: str, name: str, path: str = "/"):
    user = directory.iam(account).create_user(directory.main_region, name, path)
    directory.identify_user(user)
    return user


def create_access_key(directory: Directory, account: str, user) -> dict:
    key = directory.iam(account).create_access_key(user.name)
    return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}


def create_managed_policy(directory: Directory, account: str, path_and_name: str, document: Mapping) -> str:
    """A managed policy of the account, such as `rescind/Quarantine`; its ARN."""
    path, _, name = f"/{path_and_name}".rpartition("/")
    policy = ManagedPolicy(
        name, account_id=account, region=directory.main_region, document=json.dumps(document), path=f"{path}/"
    )
    policies = directory.iam(account).managed_policies
    if policy.arn in policies:
        raise ValueError(f"account {account} already has a policy {path_and_name}")
    policies[policy.arn] = policy
    return policy.arn


def service_trust(service: str) -> dict:
    return _trust({"Service": f"{service}.amazonaws.com"})


def account_trust(partition: str, account: str) -> dict:
    return _trust({"AWS": f"arn:{partition}:iam::{account}:root"})


def _trust(principal: Mapping[str, str]) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def credentials(session: Session) -> dict:
    return {
        "access_key_id": session.access_key_id,
        "secret_access_key": session.secret_access_key,
        "session_token": session.session_token,
    }
