"""What is done against the thief: the program, or a policy that is written once."""

import json
import subprocess

from world import MEMBER_ROLE, ROLE

DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
OLDER_SESSIONS = "AWSRevokeOlderSessions"
# Calls that take rights away.
PUTS = ("PutRolePolicy", "AttachRolePolicy")


class Service:
    """`rescind run`, from before the theft is reported to the end of the fight."""

    by = f":assumed-role/{MEMBER_ROLE}/"
    is_in_real_time = True

    def __init__(self, world):
        self._world = world

    def __enter__(self):
        world = self._world
        # What was reported before the first poll is not acted on.
        world.rescind.run("run", "--once")
        self._log = open(world.directory / "rescind.log", "wb")
        self._process = subprocess.Popen(
            [world.rescind.binary, "-c", world.config, "run"],
            cwd=world.directory,
            env=world.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        if not self._process.stdout.readline():
            raise RuntimeError(f"rescind does not watch:\n{(world.directory / 'rescind.log').read_text()}")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def act(self):
        self._world.report()


class _Once:
    """By an administrator of the account whom the thief does not know."""

    by = ":user/operator"
    is_in_real_time = False

    def __init__(self, world):
        self._world = world

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class InlineDeny(_Once):
    """What the console's button and most functions write: a deny of the sessions until now."""

    def act(self):
        now = self._world.emulator.get("clock")["now"]
        statement = {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": now}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._world.operator.put_role_policy(
            RoleName=ROLE, PolicyName=OLDER_SESSIONS, PolicyDocument=document
        )


class ManagedDeny(_Once):
    """AWS's own policy that denies everything, also to new sessions."""

    def act(self):
        self._world.operator.attach_role_policy(RoleName=ROLE, PolicyArn=DENY_ALL)


DEFENDERS = {"rescind": Service, "inline": InlineDeny, "managed": ManagedDeny}
