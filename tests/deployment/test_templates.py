"""The CloudFormation templates as such."""
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

import generate
from places import DEPLOYMENT, ROOT, TEMPLATES
from template import PARTITIONS, Loader


class Templates(unittest.TestCase):
    def test_cfn_lint_finds_nothing(self):
        self.assertGreater(len(TEMPLATES), 6)
        lint = Path(sys.executable).parent / "cfn-lint"
        regions = ["eu-central-1", "cn-north-1", "eusc-de-east-1", "us-gov-west-1"]
        asked = subprocess.run([lint, "--regions", *regions, "--", *TEMPLATES], capture_output=True, text=True)
        self.assertEqual((asked.stdout, asked.returncode), ("", 0), asked.stderr)

    def test_what_is_generated_is_up_to_date(self):
        for template in TEMPLATES:
            text = template.read_text()
            with self.subTest(template.name):
                fresh = generate.with_scripts(generate.with_documents(text))
                if template.name == "member-role-stackset.yaml":
                    fresh = generate.with_body(fresh, (DEPLOYMENT / "member-role.yaml").read_text())
                self.assertEqual(text, fresh, "run: python3 tests/deployment/generate.py")

    def test_no_yaml_alias(self):
        """CloudFormation's own reader does not take them, and cfn-lint does."""
        for template in TEMPLATES:
            events = yaml.parse(template.read_text())
            aliases = [event.anchor for event in events if getattr(event, "anchor", None)]
            self.assertEqual(aliases, [], template.name)

    def test_nothing_is_of_one_environment(self):
        """No account, no ARN of one, no organization: all of that is a parameter."""
        named = r"(?<!\d)\d{12}(?!\d)|\bo-[a-z0-9]{10}|\b(r|ou)-[a-z0-9]{4}\b"
        for template in TEMPLATES:
            self.assertNotRegex(template.read_text(), named, template.name)

    def test_every_partition_is_taken_and_no_arn_has_one_of_its_own(self):
        arns = {"HubRoleArn": "arn:{}:iam::111122223333:role/RescindHub",
                "AlertTopicArn": "arn:{}:sns:eu-central-1:111122223333:rescind-alerts",
                "CentralBusArn": "arn:{}:events:eu-central-1:111122223333:event-bus/rescind-findings",
                "ConfigurationSecretArn": "arn:{}:secretsmanager:eu-central-1:111122223333:secret:rescind/rescind.toml-AbCdEf",
                "OptOutsSecretArn": "arn:{}:secretsmanager:eu-central-1:111122223333:secret:rescind/opt-outs.toml-AbCdEf",
                "SigningKeySecretArn": "arn:{}:secretsmanager:eu-central-1:111122223333:secret:rescind/ledger.key-AbCdEf"}
        seen = set()
        for template in TEMPLATES:
            self.assertNotRegex(template.read_text(), r"arn:aws[\w-]*:", template.name)
            for name, about in yaml.load(template.read_text(), Loader).get("Parameters", {}).items():
                for partition in PARTITIONS if name in arns and "AllowedPattern" in about else []:
                    self.assertRegex(arns[name].format(partition), about["AllowedPattern"], f"{template.name}: {name}")
                    seen.add(name)
        self.assertEqual(seen, set(arns))

    def test_files_that_comments_name_are_there(self):
        for template in TEMPLATES:
            for word in template.read_text().split():
                word = word.strip(".,:;()'\"")
                if word.startswith(("policies/", "tests/")) and "*" not in word:
                    self.assertTrue((ROOT / word).exists(), f"{template.name}: {word}")


if __name__ == "__main__":
    unittest.main()
