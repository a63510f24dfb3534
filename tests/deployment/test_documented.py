"""The commands of the pages: what somebody copies from there is what the templates take."""
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from places import BINARY, ROOT
from template import Loader

PAGES = ["docs/deployment.md", "docs/high-availability.md", "docs/quick-start.md", "docs/drills.md", "docs/runbook.md"]
ROLES = re.compile(r"Type: AWS::IAM::(Role|ManagedPolicy|InstanceProfile)$", re.MULTILINE)
NAMED = re.compile(r"^ +(RoleName|ManagedPolicyName|InstanceProfileName):", re.MULTILINE)


def blocks(page: str, wanted: str = "```") -> list:
    """What stands between fences like this one."""
    found, fence = [], None
    for line in (ROOT / page).read_text().splitlines():
        if line.startswith("```"):
            fence = None if fence is not None else line
            if fence == wanted:
                found.append("")
        elif fence == wanted:
            found[-1] += f"{line}\n"
    return found


def deployments() -> list:
    """Of each stack that a page deploys: the page, the template's text, the parameters, and the words."""
    found = []
    for page in PAGES:
        for block in blocks(page):
            for command in re.findall(r"aws cloudformation deploy (?:.*\\\n)*.*", block):
                words = shlex.split(command.replace("$(", "(").replace("…", "x"))
                template = words[words.index("--template-file") + 1]
                given = words[words.index("--parameter-overrides") + 1:] if "--parameter-overrides" in words else []
                pairs = dict(word.split("=", 1) for word in given if "=" in word)
                found.append((f"{page}: {template}", (ROOT / template).read_text(), pairs, words))
    return found


class Commands(unittest.TestCase):
    def test_each_gives_parameters_that_the_template_has_in_a_form_that_it_takes(self):
        made = deployments()
        self.assertGreater(len(made), 10)
        for where, text, given, _ in made:
            declared = yaml.load(text, Loader)["Parameters"]
            self.assertLessEqual(set(given), set(declared), where)
            self.assertEqual({name for name, about in declared.items() if "Default" not in about} - set(given), set(), where)
            for name, value in given.items():
                if "$" not in value and "(" not in value and "x" != value[-1:]:
                    self.assertRegex(value, declared[name].get("AllowedPattern", "."), f"{where}: {name}")
                    self.assertIn(value, declared[name].get("AllowedValues", [value]), f"{where}: {name}")

    def test_each_says_that_it_makes_roles_or_cloudformation_refuses(self):
        for where, text, _, words in deployments():
            # In a stack set it is the stack set's own.
            outer = text.split("TemplateBody: |")[0]
            wanted = None
            if ROLES.search(outer) or "AWS::CloudFormation::StackSet" in outer:
                wanted = "CAPABILITY_NAMED_IAM" if NAMED.search(outer) else "CAPABILITY_IAM"
            given = words[words.index("--capabilities") + 1] if "--capabilities" in words else None
            if "AWS::CloudFormation::StackSet" in outer:
                self.assertIsNotNone(given, where)
            elif wanted == "CAPABILITY_IAM":
                self.assertIn(given, [wanted, "CAPABILITY_NAMED_IAM"], where)
            else:
                self.assertEqual(given, wanted, where)

    def test_every_alarm_notifies_somebody(self):
        told = []
        for where, text, given, _ in deployments():
            if "AlertTopicArn" in yaml.load(text, Loader)["Parameters"]:
                self.assertTrue(given.get("AlertTopicArn"), where)
                told.append(where)
        self.assertGreater(len(told), 3)

    def test_a_pattern_of_arns_is_of_no_partition(self):
        """Elsewhere it would lock those out whom it means to let in, for example StackSets out of the seal."""
        for where, _, given, _ in deployments():
            for name, value in given.items():
                if "*" in value:
                    self.assertNotRegex(value, r"arn:aws", f"{where}: {name}")

    @unittest.skipUnless(BINARY.exists(), "needs the binary: make build, or RESCIND_BINARY")
    def test_rescind_takes_what_the_page_puts_into_its_configuration(self):
        # What begins with a table that there can be several of can be added to any file.
        examples = [each for each in blocks("docs/deployment.md", "```toml") if each.startswith("[[")]
        self.assertGreater(len(examples), 1)
        env = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
        for example in examples:
            with tempfile.TemporaryDirectory() as scratch:
                rescind = [BINARY, "--config", Path(scratch) / "rescind.toml"]
                made = subprocess.run([*rescind, "init", "--region", "eu-central-1"], env=env, capture_output=True)
                self.assertEqual(made.returncode, 0)
                with open(Path(scratch) / "rescind.toml", "a") as file:
                    file.write(f"\n{example}")
                done = subprocess.run([*rescind, "policies", "print", "member-role"], env=env, capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), example)

    def test_the_loop_over_the_regions_gives_each_alarm_a_topic_of_its_region(self):
        with tempfile.TemporaryDirectory() as scratch:
            # It stands for the AWS CLI: notes how it is called, and answers with an output that names the region.
            aws, calls = Path(scratch) / "aws", Path(scratch) / "calls"
            aws.write_text(
                '#!/bin/bash\nprintf "%s\\n" "$*" >> "$CALLS"\n'
                'case "$*" in *describe-stacks*) echo "$*" | sed "s/.*--stack-name \\([^ ]*\\).*--region \\([^ ]*\\).*/\\1@\\2/" ;; esac\n'
            )
            aws.chmod(0o755)
            page = "\n".join(b for b in blocks("docs/deployment.md") if "rescind-alerts" in b or "rescind-feed" in b)
            page = re.sub(r"^aws cloudwatch (?:.*\\\n)*.*", "", page, flags=re.MULTILINE)
            env = {"PATH": f"{scratch}:{os.environ['PATH']}", "CALLS": str(calls), "HUB_ROLE_ARN": "role"}
            done = subprocess.run(["bash", "-euc", page], env=env, capture_output=True, text=True, cwd=ROOT)
            self.assertEqual((done.stderr, done.returncode), ("", 0))
            made = [line.split() for line in calls.read_text().splitlines() if line.startswith("cloudformation deploy")]
        regions = {"feed": [], "alerts": []}
        for words in made:
            region, stack = words[words.index("--region") + 1], words[words.index("--stack-name") + 1]
            regions[stack.removeprefix("rescind-")].append(region)
            if stack == "rescind-feed":
                self.assertIn(f"AlertTopicArn=rescind-alerts@{region}", words)
        self.assertGreater(len(regions["feed"]), 2)
        self.assertEqual(sorted(regions["feed"]), sorted(regions["alerts"]))


if __name__ == "__main__":
    unittest.main()
