"""What is secret is in files of the hosts, and in no task, stack or environment."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from places import ACCOUNT, HUB, REGION, SECRET, TEMPLATES
from template import Loader, Template

CHAT, OIDC = f"{SECRET}/chat-AbCdEf", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:oidc-secret-GhIjKl"
# Of each of the hub's templates, where its instance's user data is.
USER_DATA = {"ecs.yaml": ("Instance",), "hosts.yaml": ("Launch", "LaunchTemplateData")}
# It stands for the AWS CLI: the value of a secret is a file of the secret's ARN, without colons and slashes.
AWS = """#!/bin/bash
while [ "$1" != --secret-id ]; do shift; done
exec cat "$VALUES/$(basename "${2//:/.}")"
"""


def made(name: str, *secrets: str) -> Template:
    return Template.of((HUB / name).read_text(), **({"SecretArns": list(secrets)} if secrets else {}))


def script(name: str, *secrets: str) -> str:
    """What an instance runs for its secrets."""
    resource, *keys = USER_DATA[name]
    data = made(name, *secrets).raw["Resources"][resource]["Properties"]
    for key in keys:
        data = data[key]
    started = made(name, *secrets).resolved(data["UserData"]["Fn::Base64"])
    (found,) = re.findall(r"rescind-secrets <<'EOF'\n(.*?)^EOF$", started, re.S | re.M)
    for line in ["/usr/local/sbin/rescind-secrets || true", "systemctl enable --now rescind-secrets.timer"]:
        # Before the agent takes a task, and later again.
        assert started.index(line) < started.index("systemctl enable --now --no-block ecs"), line
    return found


class Files(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a file to another group")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        self.folder = self.root / "srv" / "etc" / "secrets"
        (self.root / "values").mkdir()
        (self.root / "aws").write_text(AWS)
        (self.root / "aws").chmod(0o755)

    def run_for(self, *secrets: str, code: int) -> dict:
        """Runs it, and answers with what is in the folder then."""
        text = script("hosts.yaml", *secrets).replace("/srv/rescind", f"{self.root}/srv")
        env = {"PATH": f"{self.root}:{os.environ['PATH']}", "VALUES": str(self.root / "values")}
        done = subprocess.run(["bash", "-c", text], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return {file.name: file.read_text() for file in self.folder.iterdir()}

    def keep(self, arn: str, value: str) -> Path:
        file = self.root / "values" / Path(arn.replace(":", ".")).name
        file.write_text(value)
        return file

    def test_each_secret_is_a_file_for_the_service_alone(self):
        self.keep(CHAT, "https://hooks.example.com/1\n")
        self.keep(OIDC, "s3cret\n")
        found = self.run_for(CHAT, OIDC, code=0)
        self.assertEqual(found, {"chat": "https://hooks.example.com/1\n", "oidc-secret": "s3cret\n"})
        for place, mode in [(self.folder, "0o750"), *[(self.folder / name, "0o640") for name in found]]:
            about = place.stat()
            self.assertEqual((about.st_uid, about.st_gid, oct(about.st_mode & 0o777)), (0, 65532, mode))

    def test_a_rotated_one_is_replaced_and_one_that_cannot_be_read_stays_as_it_was(self):
        chat = self.keep(CHAT, "old\n")
        self.keep(OIDC, "first\n")
        self.run_for(CHAT, OIDC, code=0)
        chat.unlink()
        self.keep(OIDC, "second\n")
        self.assertEqual(self.run_for(CHAT, OIDC, code=1), {"chat": "old\n", "oidc-secret": "second\n"})

    def test_one_that_is_not_listed_any_more_goes(self):
        self.keep(CHAT, "x\n")
        self.keep(OIDC, "y\n")
        self.run_for(CHAT, OIDC, code=0)
        self.assertEqual(self.run_for(CHAT, code=0), {"chat": "x\n"})
        self.assertEqual(self.run_for(code=0), {})


class Templates(unittest.TestCase):
    def test_one_host_and_several_read_them_in_the_same_way(self):
        self.assertEqual(script("ecs.yaml", CHAT, OIDC), script("hosts.yaml", CHAT, OIDC))

    def test_the_instance_may_read_these_and_no_others(self):
        for name in USER_DATA:
            allowed = [
                (each["Action"], each["Resource"])
                for inline in made(name, CHAT, OIDC).properties("InstanceRole")["Policies"]
                for each in inline["PolicyDocument"]["Statement"] if inline["PolicyName"] == "RescindSecrets"
            ]
            self.assertEqual(allowed, [("secretsmanager:GetSecretValue", [CHAT, OIDC])], name)
            without = made(name).properties("InstanceRole")["Policies"]
            self.assertNotIn("RescindSecrets", [inline["PolicyName"] for inline in without])

    def test_no_task_has_a_secret_in_its_environment(self):
        """Whoever may describe a task definition reads it."""
        for name in USER_DATA:
            (container,) = made(name, CHAT).properties("Task")["ContainerDefinitions"]
            self.assertEqual({"Environment", "EnvironmentFiles", "Secrets"} & set(container), set(), name)

    def test_no_parameter_takes_a_secret_in_place_of_where_it_is(self):
        named = 0
        for template in TEMPLATES:
            for name, about in yaml.load(template.read_text(), Loader).get("Parameters", {}).items():
                if "Secret" in name:
                    named += 1
                    self.assertRegex(CHAT, about["AllowedPattern"])
                    for value in ["xoxb-1234", "https://hooks.example.com/1", "rescind/chat"]:
                        self.assertNotRegex(value, about["AllowedPattern"], f"{template.name}: {name}")
        self.assertGreater(named, 4)


if __name__ == "__main__":
    unittest.main()
