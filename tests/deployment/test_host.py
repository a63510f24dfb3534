"""rescind on a single host with the package and systemd."""
import email
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

from places import ACCOUNT, HUB, REGION, REQUIRED, policy
from template import Template

PACKAGE = "rescind-0.1.0-1.aarch64.rpm"
INSTALL = f"rpm --upgrade --oldpackage --replacepkgs /var/tmp/{PACKAGE}"
# They stand for what an instance has. Each notes how it was called.
STUBS = {
    "aws": 'for last; do :; done; cp "$SERVED" "$last"',
    "curl": 'while [ "$1" != --output ]; do shift; done; cp "$SERVED" "$2"',
    # A disk is empty until somebody formats it.
    "blkid": '[ -e "$ROOT/formatted" ]',
    "mkfs.ext4": 'touch "$ROOT/formatted"',
    "mount": 'touch "$ROOT/mounted-$(basename "$(dirname "$1")")-$(basename "$1")"',
    "mountpoint": '[ -e "$ROOT/mounted-$(basename "$(dirname "$2")")-$(basename "$2")" ]',
    "rpm": "true",
    "apt-get": "true",
    "chown": "true",
    "systemctl": "true",
    "sleep": "exit 1",
}


def host(**parameters) -> Template:
    return Template.of((HUB / "host.yaml").read_text(), **parameters)


def user_data(template: Template) -> str:
    data = template.raw["Resources"]["Instance"]["Properties"]["UserData"]["Fn::Base64"]
    return template.resolved(data)


def parts(text: str) -> dict:
    """Of each part of what an instance gets, by its type, the text."""
    found = email.message_from_string(text)
    assert found.is_multipart(), text[:80]
    return {each.get_content_type(): each.get_payload() for each in found.get_payload()}


class Started(unittest.TestCase):
    """What the host does when it starts, with stubs for the tools, in a root of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        for folder in ["bin", "etc/systemd/system", "var/tmp", "dev/disk/by-id"]:
            (self.root / folder).mkdir(parents=True)
        (self.root / "etc/fstab").touch()
        (self.root / "dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_ref:Ledger").touch()
        for name, does in STUBS.items():
            stub = self.root / "bin" / name
            stub.write_text(f'#!/bin/bash\necho "{name} $*" >> "$ROOT/calls"\n{does}\n')
            stub.chmod(0o755)
        self.served = self.root / "served"

    def serve(self, content: str) -> str:
        self.served.write_text(content)
        return hashlib.sha256(content.encode()).hexdigest()

    def start(self, digest: str, url: str = f"https://example.com/{PACKAGE}", code: int = 0) -> list:
        """How the tools were called."""
        script = parts(user_data(host(PackageUrl=url, PackageSha256=digest)))["text/x-shellscript"]
        script = re.sub(r"(?<![\w.}/])/(srv|etc|var|dev/disk)/", rf"{self.root}/\1/", script)
        calls = self.root / "calls"
        calls.write_text("")
        env = {"PATH": f"{self.root}/bin:{os.environ['PATH']}", "ROOT": str(self.root), "SERVED": str(self.served)}
        done = subprocess.run(["bash", "-c", script.lstrip("\n")], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return [line.replace(str(self.root), "") for line in calls.read_text().splitlines()]

    def test_the_first_start_formats_mounts_and_installs(self):
        calls = self.start(self.serve("a package"))
        made = [call for call in calls if call.startswith("mkfs")]
        self.assertEqual(len(made), 1)
        mounted = [call.removeprefix("mount ") for call in calls if call.startswith("mount ")]
        self.assertEqual(mounted, ["/srv/rescind", "/etc/rescind", "/var/lib/rescind"])
        fstab = [line.split() for line in (self.root / "etc/fstab").read_text().splitlines()]
        self.assertEqual([line[1].replace(str(self.root), "") for line in fstab], mounted)
        # The ledger is where the package would begin one, before there is a package.
        self.assertIn(INSTALL, calls)
        self.assertLess(calls.index("mount /var/lib/rescind"), calls.index(INSTALL))
        owners = [call for call in calls if call.startswith("chown")]
        self.assertEqual(owners, ["chown -R rescind:rescind /var/lib/rescind", "chown -R root:rescind /etc/rescind"])
        self.assertEqual(calls[-2:], ["systemctl enable rescind", "systemctl restart --no-block rescind"])

    def test_a_later_start_does_nothing_again(self):
        digest = self.serve("a package")
        self.start(digest)
        lib = self.root / "srv/rescind/lib"
        lib.chmod(0o700)
        fstab = (self.root / "etc/fstab").read_text()
        calls = self.start(digest)
        again = [call for call in calls if call.split()[0] in ("mkfs.ext4", "mount", "rpm", "apt-get", "curl", "chown")]
        self.assertEqual(again, [])
        self.assertEqual((self.root / "etc/fstab").read_text(), fstab)
        self.assertEqual(oct(lib.stat().st_mode & 0o777), "0o700")
        self.assertIn("systemctl start --no-block rescind", calls)

    def test_a_disk_with_a_ledger_is_never_formatted(self):
        (self.root / "formatted").touch()
        calls = self.start(self.serve("a package"))
        self.assertEqual([call for call in calls if call.startswith("mkfs")], [])

    def test_a_new_package_is_installed_and_the_service_restarted(self):
        self.start(self.serve("a package"))
        calls = self.start(self.serve("a newer one"))
        self.assertIn(INSTALL, calls)
        self.assertEqual(calls[-1], "systemctl restart --no-block rescind")

    def test_another_package_than_the_one_that_was_reviewed_is_not_installed_and_the_old_one_runs(self):
        self.start(self.serve("a package"))
        self.serve("something else")
        calls = self.start("0" * 64, code=1)
        self.assertEqual([call for call in calls if call.startswith(("rpm", "apt-get"))], [])
        self.assertIn("systemctl start --no-block rescind", calls)
        self.assertNotIn("systemctl restart --no-block rescind", calls)

    def test_each_kind_of_package_and_each_place(self):
        calls = self.start(self.serve("a package"), "s3://example-packages/rescind_0.1.0_arm64.deb")
        self.assertIn("aws s3 cp --only-show-errors s3://example-packages/rescind_0.1.0_arm64.deb "
                      "/var/tmp/rescind_0.1.0_arm64.deb", calls)
        self.assertIn("apt-get install -y --reinstall --allow-downgrades /var/tmp/rescind_0.1.0_arm64.deb", calls)


class Host(unittest.TestCase):
    def test_the_script_runs_at_every_start_or_no_new_package_would_come(self):
        config = yaml.safe_load(parts(user_data(host()))["text/cloud-config"])
        self.assertEqual(config, {"cloud_final_modules": [["scripts-user", "always"]]})
        self.assertLess(len(user_data(host()).encode()), 16_384)

    def test_the_script_is_one(self):
        text = parts(user_data(host()))["text/x-shellscript"].lstrip("\n")
        self.assertTrue(text.startswith("#!/bin/bash\n"))
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", "-"], input=text, capture_output=True, text=True)
            self.assertEqual((done.stdout, done.returncode), ("", 0))

    def test_what_cannot_be_quoted_is_no_address_of_a_package(self):
        """It stands in a script that root runs."""
        about = host().raw["Parameters"]
        for url in ["http://example.com/x.rpm", "https://example.com/x'; rm -rf /;'.deb", "https://example.com/$(id).rpm",
                    "https://example.com/rescind", "file:///x.deb"]:
            self.assertNotRegex(url, about["PackageUrl"]["AllowedPattern"])
        for url in [REQUIRED["PackageUrl"], "s3://example-packages/a/rescind_0.1.0-1_arm64.deb"]:
            self.assertRegex(url, about["PackageUrl"]["AllowedPattern"])
        for digest in ["", "abc", "g" * 64]:
            self.assertNotRegex(digest, about["PackageSha256"]["AllowedPattern"])

    def test_the_ledger_and_the_configuration_outlive_the_instance_and_the_stack(self):
        ledger = host().raw["Resources"]["Ledger"]
        self.assertEqual((ledger["DeletionPolicy"], ledger["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertIs(ledger["Properties"]["Encrypted"], True)
        attached = host().properties("LedgerAttachment")
        self.assertEqual((attached["VolumeId"], attached["InstanceId"]), ("ref:Ledger", "ref:Instance"))
        self.assertIn("Elastic_Block_Store_$(printf %s 'ref:Ledger' | tr -d -)", user_data(host()))

    def test_the_hubs_role_gets_what_session_manager_needs_and_one_object_and_no_more(self):
        made = {each["PolicyName"]: each for each in host().resources("AWS::IAM::RolePolicy").values()}
        self.assertEqual(set(made), {"RescindHost"})
        self.assertEqual(made["RescindHost"]["PolicyDocument"], policy("hub-role-host.json"))
        for statement in policy("hub-role-host.json")["Statement"]:
            for action in statement["Action"]:
                self.assertRegex(action, r"^(ssmmessages:(Create|Open)(Control|Data)Channel|ssm:UpdateInstanceInformation)$")
        of_bucket = host(PackageUrl=f"s3://example-packages/a/{PACKAGE}", partition="aws-eusc", HubRoleName="Hub")
        made = {each["PolicyName"]: each for each in of_bucket.resources("AWS::IAM::RolePolicy").values()}
        self.assertEqual({each["RoleName"] for each in made.values()}, {"Hub"})
        (get,) = made["RescindPackage"]["PolicyDocument"]["Statement"]
        self.assertEqual((get["Action"], get["Resource"]), ("s3:GetObject", f"arn:aws-eusc:s3:::example-packages/a/{PACKAGE}"))

    def test_nobody_reaches_it_and_its_role_is_had_by_version_two_only(self):
        single = Template.of((HUB / "ecs.yaml").read_text())
        self.assertEqual(host().properties("Egress"), single.properties("Egress"))
        made = host().properties("Instance")
        self.assertEqual(made["MetadataOptions"], {"HttpTokens": "required", "HttpPutResponseHopLimit": 1})
        self.assertEqual(made["NetworkInterfaces"][0]["AssociatePublicIpAddress"], False)
        self.assertEqual(made["IamInstanceProfile"], "RescindHub")

    def test_a_host_that_is_gone_raises_an_alarm(self):
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:rescind-alerts"
        (alarm,) = host(AlertTopicArn=topic).resources("AWS::CloudWatch::Alarm").values()
        self.assertEqual((alarm["MetricName"], alarm["TreatMissingData"]), ("StatusCheckFailed", "breaching"))
        self.assertEqual(alarm["Dimensions"], [{"Name": "InstanceId", "Value": "ref:Instance"}])
        self.assertEqual((alarm["AlarmActions"], alarm["OKActions"]), ([topic], [topic]))


if __name__ == "__main__":
    unittest.main()
