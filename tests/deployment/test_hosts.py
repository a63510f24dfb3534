"""rescind on two hosts in two zones."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from places import ACCOUNT, HUB, HUB_ROLE, REGION
from template import Template

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rescind"
GIVEN = {
    "Image": f"example.com/rescind@sha256:{'0' * 64}", "HubRoleArn": HUB_ROLE, "VpcId": "vpc-0", "ImageId": "ami-0",
    "FirstSubnetId": "subnet-0", "FirstZone": "eu-central-1a",
    "SecondSubnetId": "subnet-1", "SecondZone": "eu-central-1b",
    "ConfigurationSecretArn": f"{SECRET}/rescind.toml-AbCdEf", "OptOutsSecretArn": f"{SECRET}/opt-outs.toml-AbCdEf",
}


class Hosts(unittest.TestCase):
    def setUp(self):
        text = (HUB / "hosts.yaml").read_text()
        self.template = Template(text, **GIVEN)
        self.resources = self.template.raw["Resources"]

    def test_there_are_two_in_two_zones(self):
        group = self.resources["Hosts"]["Properties"]
        self.assertEqual((group["MinSize"], group["MaxSize"]), ("2", "2"))
        self.assertEqual(group["VPCZoneIdentifier"], [{"Ref": "FirstSubnetId"}, {"Ref": "SecondSubnetId"}])
        # With these, Auto Scaling refuses subnets that are in one zone.
        self.assertEqual(group["AvailabilityZones"], [{"Ref": "FirstZone"}, {"Ref": "SecondZone"}])
        (wanted,) = self.template.raw["Rules"]["TwoZones"]["Assertions"]
        self.assertIs(self.template.resolved(wanted["Assert"]), True)
        one = Template((HUB / "hosts.yaml").read_text(), **GIVEN | {"SecondZone": GIVEN["FirstZone"]})
        self.assertIs(one.resolved(wanted["Assert"]), False)

    def test_one_goes_on_while_the_other_is_replaced(self):
        update = self.resources["Hosts"]["UpdatePolicy"]["AutoScalingRollingUpdate"]
        self.assertEqual((update["MinInstancesInService"], update["MaxBatchSize"]), (1, 1))
        service = self.resources["Service"]["Properties"]
        # One task on each host: two on one would share the ledger's file.
        self.assertEqual(service["SchedulingStrategy"], "DAEMON")
        deployment = service["DeploymentConfiguration"]
        self.assertEqual((deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]), (50, 100))
        self.assertEqual(deployment["DeploymentCircuitBreaker"], {"Enable": True, "Rollback": True})

    def test_each_has_a_disk_of_its_own_that_goes_with_it(self):
        (device,) = self.resources["Launch"]["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
        self.assertEqual((device["Ebs"]["DeleteOnTermination"], device["Ebs"]["Encrypted"]), (True, True))
        kinds = {about["Type"] for about in self.resources.values()}
        self.assertFalse({kind for kind in kinds if kind.startswith(("AWS::EFS", "AWS::EC2::Volume"))})

    def test_the_task_is_that_of_the_single_host(self):
        single = Template(
            (HUB / "ecs.yaml").read_text(), SubnetId="subnet-0", AvailabilityZone="eu-central-1a",
            **{name: GIVEN[name] for name in ["Image", "HubRoleArn", "VpcId", "ImageId"]},
        ).properties
        task, wanted = self.template.raw["Resources"]["Task"]["Properties"], single("Task")
        self.assertEqual(self.template.resolved(task["ContainerDefinitions"]), wanted["ContainerDefinitions"])
        for key in ["NetworkMode", "RequiresCompatibilities", "TaskRoleArn", "Volumes"]:
            self.assertEqual(self.template.resolved(task[key]), wanted[key])
        self.assertEqual(self.template.properties("Egress"), single("Egress"))

    def test_the_container_does_not_get_the_instances_role(self):
        data = self.resources["Launch"]["Properties"]["LaunchTemplateData"]
        self.assertEqual(data["MetadataOptions"], {"HttpTokens": "required", "HttpPutResponseHopLimit": 1})
        self.assertEqual(self.template.properties("Task")["NetworkMode"], "bridge")

    def test_the_instance_reads_the_configuration_and_nothing_else(self):
        (inline,) = self.template.properties("InstanceRole")["Policies"]
        (statement,) = inline["PolicyDocument"]["Statement"]
        self.assertEqual((statement["Effect"], statement["Action"]), ("Allow", "secretsmanager:GetSecretValue"))
        self.assertEqual(statement["Resource"], [GIVEN["ConfigurationSecretArn"], GIVEN["OptOutsSecretArn"]])
        key = f"{SECRET}/ledger.key-AbCdEf"
        with_key = Template((HUB / "hosts.yaml").read_text(), **GIVEN, SigningKeySecretArn=key)
        (inline,) = with_key.properties("InstanceRole")["Policies"]
        self.assertEqual(inline["PolicyDocument"]["Statement"][0]["Resource"], [*statement["Resource"], key])

    def test_what_an_instance_does_when_it_starts_is_a_script(self):
        data = self.resources["Launch"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
        script = self.template.resolved(data)
        inner, secrets = re.findall(r"<<'EOF'\n(#!.*?)^EOF$", script, re.S | re.M)
        for text in [script, inner, secrets]:
            self.assertRegex(text, r"\A#!/bin/bash\n(# .*\n)?set -euo pipefail\n")
            done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
            self.assertEqual((done.stderr, done.returncode), ("", 0))
            if shutil.which("shellcheck"):
                done = subprocess.run(["shellcheck", "-"], input=text, capture_output=True, text=True)
                self.assertEqual((done.stdout, done.returncode), ("", 0))
        for name in ["ConfigurationSecretArn", "OptOutsSecretArn"]:
            self.assertIn(f"read_secret '{GIVEN[name]}'", inner)
        # The agent takes no task before the configuration is there.
        started = script.index("until /usr/local/sbin/rescind-configuration")
        self.assertLess(started, script.index("systemctl enable --now --no-block ecs"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a file to another group")
    def test_a_change_is_read_again_and_a_key_that_was_rotated_is_not_put_back(self):
        key = f"{SECRET}/ledger.key-AbCdEf"
        template = Template((HUB / "hosts.yaml").read_text(), **GIVEN, SigningKeySecretArn=key)
        data = template.raw["Resources"]["Launch"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
        (script,) = re.findall(r"rescind-configuration <<'EOF'\n(.*?)^EOF$", template.resolved(data), re.S | re.M)
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            for folder in ["etc", "lib", "values"]:
                (root / folder).mkdir()
            # They stand for the AWS CLI and for Docker, with one container that runs.
            stubs = {"aws": 'while [ "$1" != --secret-id ]; do shift; done\nexec cat "$ROOT/values/$(basename "$2")"',
                     "docker": 'echo "$*" >> "$ROOT/calls"\n[ "$1" != ps ] || echo 0123456789ab'}
            for name, does in stubs.items():
                (root / name).write_text(f"#!/bin/bash\n{does}\n")
                (root / name).chmod(0o755)

            def read(**values: str) -> None:
                for file, text in values.items():
                    (root / "values" / f"{file.replace('_', '.')}-AbCdEf").write_text(text)
                env = {"PATH": f"{root}:{os.environ['PATH']}", "ROOT": str(root)}
                done = subprocess.run(["bash", "-c", script.replace("/srv/rescind", str(root))], env=env,
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

            (root / "values" / "opt-outs.toml-AbCdEf").write_text("")
            read(rescind_toml="first", ledger_key="first")
            (root / "lib" / "ledger.key").write_text("rotated")
            read(rescind_toml="second")
            self.assertEqual((root / "etc" / "rescind.toml").read_text(), "second")
            self.assertEqual((root / "lib" / "ledger.key").read_text(), "rotated")
            owners = {
                file.name: (file.stat().st_uid, file.stat().st_gid, oct(file.stat().st_mode & 0o777))
                for file in [*(root / "etc").iterdir(), *(root / "lib").iterdir()]
            }
            self.assertEqual(owners, {"rescind.toml": (0, 65532, "0o640"), "opt-outs.toml": (0, 65532, "0o640"),
                                      "ledger.key": (65532, 65532, "0o600")})
            # rescind reads them again, and is not started again.
            called = (root / "calls").read_text().splitlines()
            self.assertEqual([line for line in called if not line.startswith("ps ")], ["kill --signal HUP 0123456789ab"] * 2)

    def test_a_host_that_is_missing_raises_an_alarm(self):
        alarm = self.resources["HostsAlarm"]["Properties"]
        self.assertEqual((alarm["Namespace"], alarm["MetricName"]), ("AWS/ECS", "CPUUtilization"))
        self.assertEqual((alarm["Statistic"], alarm["Period"], alarm["Threshold"]), ("SampleCount", 60, 2))
        self.assertEqual((alarm["ComparisonOperator"], alarm["TreatMissingData"]), ("LessThanThreshold", "breaching"))


if __name__ == "__main__":
    unittest.main()
