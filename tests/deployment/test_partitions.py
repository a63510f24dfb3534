"""Each partition that rescind takes, the kit takes; what it does not take is refused before there is a file."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from places import ACCOUNT, BINARY, DEPLOYMENT, FILLED, POLICIES
from template import PARTITIONS, Template

# Of each partition a region.
REGIONS = {"aws": "eu-central-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1", "aws-us-gov": "us-gov-west-1"}


@unittest.skipUnless(BINARY.exists(), "needs the binary: make build, or RESCIND_BINARY")
class Rescind(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.config = Path(scratch.name) / "rescind.toml"

    def rescind(self, *words: str) -> subprocess.CompletedProcess:
        env = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
        command = [BINARY, "--config", self.config, *words]
        return subprocess.run([str(word) for word in command], env=env, capture_output=True, text=True)

    def test_what_is_printed_has_the_arns_of_the_partition(self):
        self.assertEqual(set(REGIONS), set(PARTITIONS))
        for partition, region in REGIONS.items():
            with self.subTest(partition):
                self.assertEqual(self.rescind("init", "--region", region).returncode, 0)
                hub = f"arn:{partition}:iam::{ACCOUNT}:role/RescindHub"
                done = self.rescind(
                    "policies", "print", "organization-deny", "--hub-role", hub, "--organization", FILLED["ORG_ID"],
                    "--management-account", FILLED["MANAGEMENT_ACCOUNT"],
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                text = (POLICIES / "organization-deny-delegation.json").read_text()
                filled = FILLED | {"PARTITION": partition, "HUB_ROLE_ARN": hub}
                for name, value in filled.items():
                    text = text.replace(f"${{{name}}}", value)
                self.assertEqual(json.loads(done.stdout), json.loads(text))
                # And the template makes the same of it.
                made = Template.of((DEPLOYMENT / "organization-deny-delegation.yaml").read_text(), partition=partition,
                                   HubRoleArn=hub).properties("Delegation")["Content"]
                self.assertEqual(made, json.loads(text))
                for file in self.config.parent.iterdir():
                    file.unlink()

    def test_an_unknown_partition_and_a_mix_are_refused_and_nothing_is_written(self):
        for regions in [["us-iso-east-1"], ["eu-central-1", "eusc-de-east-1"]]:
            words = [word for region in regions for word in ("--region", region)]
            self.assertEqual(self.rescind("init", *words).returncode, 2)
            self.assertEqual(list(self.config.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
