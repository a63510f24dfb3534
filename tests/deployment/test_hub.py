"""What runs rescind: the systemd unit, the Debian package's scripts, the image and the ECS example."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from places import BINARY, HUB, HUB_ROLE, ROOT
from template import Template

SYSTEMD = shutil.which("systemd-analyze")


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


class Unit(unittest.TestCase):
    def setUp(self):
        self.text = (HUB / "rescind.service").read_text()

    @unittest.skipUnless(SYSTEMD, "systemd-analyze is not on the PATH")
    def test_systemd_takes_it(self):
        with tempfile.TemporaryDirectory() as scratch:
            unit = Path(scratch) / "rescind.service"
            # systemd wants the binary to be there.
            unit.write_text(self.text.replace("/usr/bin/rescind ", "/bin/true "))
            done = run(SYSTEMD, "verify", "--man=no", unit)
            self.assertEqual((done.stderr, done.returncode), ("", 0), done.stdout)

    @unittest.skipUnless(SYSTEMD, "systemd-analyze is not on the PATH")
    def test_systemd_finds_it_well_protected(self):
        done = run(SYSTEMD, "security", "--offline=true", "--threshold=20", "--no-pager", HUB / "rescind.service")
        if "unrecognized option" in done.stderr:
            self.skipTest("this systemd-analyze cannot look at a unit that is not installed")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_systemd_is_notified_when_rescind_is_ready_and_when_it_hangs(self):
        for line in ["Type=notify", "WatchdogSec=60", "Restart=always", "TimeoutStopSec=30", "User=rescind",
                     "ExecReload=/bin/kill -HUP $MAINPID"]:
            self.assertIn(line, self.text.splitlines())

    def test_it_may_do_nothing_that_rescind_does_not_need(self):
        for line in ["NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
                     "PrivateDevices=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes",
                     "ProtectKernelTunables=yes", "CapabilityBoundingSet=", "MemoryDenyWriteExecute=yes",
                     "LockPersonality=yes", "UMask=0077", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
                     "SystemCallFilter=@system-service", "SystemCallFilter=~@privileged", "LimitCORE=0"]:
            self.assertIn(line, self.text.splitlines())


MISSING = [tool for tool in ["dpkg", "dpkg-deb", "systemctl", "systemd-sysusers", "deb-systemd-helper"] if not shutil.which(tool)]


@unittest.skipIf(MISSING, f"not on the PATH: {', '.join(MISSING)}")
@unittest.skipUnless(os.geteuid() == 0, "only root can install a package into a folder")
class Package(unittest.TestCase):
    """The maintainer scripts, run by dpkg in a root directory of their own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name) / "root"
        for folder in ["etc", "var/lib/dpkg/updates", "var/lib/dpkg/info"]:
            (self.root / folder).mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").touch()
        self.deb = self.built(Path(scratch.name), "1.0")
        self.newer = self.built(Path(scratch.name), "1.1")

    def built(self, scratch: Path, version: str) -> Path:
        tree = scratch / f"tree-{version}"
        for source, place, mode in [
            (HUB / "rescind.service", "usr/lib/systemd/system/rescind.service", 0o644),
            (HUB / "rescind.sysusers", "usr/lib/sysusers.d/rescind.conf", 0o644),
            (Path("/bin/true"), "usr/bin/rescind", 0o755),
        ] + [(HUB / "debian" / name, f"DEBIAN/{name}", 0o755) for name in ["postinst", "prerm", "postrm"]]:
            (tree / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tree / place)
            (tree / place).chmod(mode)
        control = {"Package": "rescind", "Version": version, "Architecture": "all",
                   "Maintainer": "nobody <nobody@example.com>", "Description": "a test"}
        (tree / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in control.items()))
        deb = scratch / f"rescind-{version}.deb"
        done = run("dpkg-deb", "--root-owner-group", "--build", tree, deb)
        self.assertEqual(done.returncode, 0, done.stderr)
        return deb

    def dpkg(self, *arguments) -> str:
        done = run("dpkg", f"--root={self.root}", "--force-script-chrootless", f"--log={os.devnull}", *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def owner(self, place: str) -> tuple:
        found = (self.root / place).stat()
        return found.st_uid, found.st_gid, oct(found.st_mode & 0o777)

    def ids(self) -> tuple:
        lines = [(self.root / "etc" / name).read_text().splitlines() for name in ["passwd", "group"]]
        (user,), (group,) = [[line for line in each if line.startswith("rescind:")] for each in lines]
        self.assertEqual(user.split(":")[5:], ["/var/lib/rescind", "/usr/sbin/nologin"])
        return int(user.split(":")[2]), int(group.split(":")[2])

    def enabled(self) -> bool:
        return (self.root / "etc/systemd/system/multi-user.target.wants/rescind.service").is_symlink()

    def test_it_is_installed_for_its_own_user_and_enabled(self):
        said = self.dpkg("--install", self.deb)
        user, group = self.ids()
        self.assertNotIn(0, (user, group))
        self.assertEqual(self.owner("etc/rescind"), (0, group, "0o750"))
        self.assertEqual(self.owner("var/lib/rescind"), (user, group, "0o700"))
        self.assertTrue(self.enabled())
        self.assertIn("not started", said)

    def test_an_upgrade_keeps_what_the_administrator_did(self):
        self.dpkg("--install", self.deb)
        (self.root / "etc/rescind/rescind.toml").write_text("mode = \"enforce\"\n")
        run("systemctl", f"--root={self.root}", "disable", "rescind.service")
        self.assertFalse(self.enabled())
        said = self.dpkg("--install", self.newer)
        self.assertFalse(self.enabled())
        self.assertEqual((self.root / "etc/rescind/rescind.toml").read_text(), "mode = \"enforce\"\n")
        self.assertNotIn("not started", said)

    def test_a_purge_never_takes_the_ledger(self):
        self.dpkg("--install", self.deb)
        ledger, toml = self.root / "var/lib/rescind/ledger.db", self.root / "etc/rescind/rescind.toml"
        beside = self.root / "etc/rescind/ledger.key"
        for file in [ledger, toml, beside]:
            file.write_text("evidence")
        self.dpkg("--remove", "rescind")
        self.assertTrue(ledger.exists() and toml.exists())
        self.assertFalse((self.root / "usr/bin/rescind").exists())
        said = self.dpkg("--purge", "rescind")
        self.assertEqual((ledger.read_text(), beside.read_text()), ("evidence", "evidence"))
        self.assertFalse(toml.exists())
        self.assertIn("Kept: /var/lib/rescind.", said)
        self.assertIn("Kept: /etc/rescind.", said)
        self.assertFalse(self.enabled())
        self.ids()

    def test_a_purge_leaves_nothing_where_there_was_no_ledger(self):
        self.dpkg("--install", self.deb)
        self.dpkg("--purge", "rescind")
        self.assertEqual([place for place in ["etc/rescind", "var/lib/rescind"] if (self.root / place).exists()], [])


class Image(unittest.TestCase):
    def setUp(self):
        self.text = (HUB / "Containerfile").read_text()

    def test_what_the_binary_is_made_of_is_copied(self):
        build = self.text.split("FROM scratch")[0]
        copied = [word for line in re.findall(r"^COPY (.+)$", build, re.MULTILINE) for word in line.split()[:-1]]
        for source in copied:
            self.assertTrue((ROOT / source).exists(), source)
        included = 0
        for file in (ROOT / "src").rglob("*.rs"):
            for path in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', file.read_text()):
                found = (file.parent / path).resolve().relative_to(ROOT)
                included += 1
                self.assertIn(found.parts[0], copied, f"{file.name} includes {found}")
        self.assertGreater(included, 5)
        for extra in ["build.rs", "askama.toml"]:
            self.assertTrue(extra in copied or not (ROOT / extra).exists(), extra)

    def test_it_does_not_run_as_root(self):
        runtime = self.text.split("FROM scratch")[1]
        self.assertRegex(runtime, r"(?m)^USER 65532:65532$")
        self.assertNotRegex(runtime, r"(?m)^RUN ")

    def test_its_only_base_can_be_named_by_a_digest(self):
        self.assertEqual(re.findall(r"(?m)^FROM (\S+)", self.text), ["${BUILDER}", "scratch"])
        self.assertRegex(self.text, r"(?m)^ARG BUILDER=rust:[\d.]+-\w+$")
        self.assertIn("--build-arg BUILDER=rust:1.95-bookworm@sha256:", self.text)


class Ecs(unittest.TestCase):
    def setUp(self):
        given = {"Image": f"example.com/rescind@sha256:{'0' * 64}", "HubRoleArn": HUB_ROLE, "VpcId": "vpc-0", "SubnetId": "subnet-0",
                 "AvailabilityZone": "eu-central-1a", "ImageId": "ami-0"}
        self.template = Template((HUB / "ecs.yaml").read_text(), **given)

    def test_the_ledger_outlives_the_instance_and_the_stack(self):
        ledger = self.template.raw["Resources"]["Ledger"]
        self.assertEqual((ledger["DeletionPolicy"], ledger["UpdateReplacePolicy"]), ("Retain", "Retain"))
        self.assertIs(ledger["Properties"]["Encrypted"], True)
        task = self.template.properties("Task")
        self.assertNotIn("EFSVolumeConfiguration", str(task))
        paths = {volume["Name"]: volume["Host"]["SourcePath"] for volume in task["Volumes"]}
        self.assertEqual(paths, {"etc": "/srv/rescind/etc", "lib": "/srv/rescind/lib"})

    def test_never_two_at_once(self):
        service = self.template.raw["Resources"]["Service"]["Properties"]
        # None before there is a configuration, which would hold up the first deployment; then one.
        self.assertEqual(service["DesiredCount"], {"Ref": "DesiredCount"})
        count = self.template.raw["Parameters"]["DesiredCount"]
        self.assertEqual((count["Default"], count["AllowedValues"]), (0, [0, 1]))
        deployment = service["DeploymentConfiguration"]
        self.assertEqual((deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]), (0, 100))
        # A new service has it on by default, and it starts the new task before it stops the old one.
        self.assertEqual(service["AvailabilityZoneRebalancing"], "DISABLED")

    def test_a_version_that_does_not_run_is_taken_back(self):
        deployment = self.template.properties("Service")["DeploymentConfiguration"]
        self.assertEqual(deployment["DeploymentCircuitBreaker"], {"Enable": True, "Rollback": True})

    def test_a_task_that_hangs_is_replaced_and_one_that_starts_slowly_is_not(self):
        (container,) = self.template.properties("Task")["ContainerDefinitions"]
        check = container["HealthCheck"]
        # Not by a shell: there is none in the image.
        program, *words = check["Command"][1:]
        self.assertEqual((check["Command"][0], program, words[-1]), ("CMD", "/usr/bin/rescind", "health"))
        self.assertIn(program, (HUB / "Containerfile").read_text())
        patience = check["StartPeriod"] + check["Interval"] * check["Retries"]
        unit = re.search(r"^TimeoutStartSec=(\d+)min$", (HUB / "rescind.service").read_text(), re.MULTILINE)
        self.assertEqual(patience, int(unit[1]) * 60, "as long as systemd waits")
        # What ECS takes, and longer than the command waits for an answer (4 s).
        self.assertTrue(4 < check["Timeout"] <= 60 and check["Retries"] <= 10 and check["StartPeriod"] <= 300)

    @unittest.skipUnless(BINARY.exists(), "needs the binary: make build, or RESCIND_BINARY")
    def test_the_key_that_signs_lies_with_the_ledger_and_not_with_the_configuration(self):
        """As its comment says it: what is mounted at /etc/rescind is read-only for the service, and is put elsewhere."""
        commands = re.findall(r"^#     sudo docker run .*?IMAGE (.+)$", (HUB / "ecs.yaml").read_text(), re.MULTILINE)
        self.assertEqual([command.split()[0] for command in commands], ["init", "ledger"])
        with tempfile.TemporaryDirectory() as scratch:
            etc, lib = Path(scratch) / "etc", Path(scratch) / "lib"
            etc.mkdir()
            lib.mkdir()
            said = []
            for command in commands:
                words = [word.replace("/var/lib/rescind", str(lib)) for word in command.split()]
                env = {name: value for name, value in os.environ.items() if not name.startswith("RESCIND_")}
                done = run(BINARY, "--config", etc / "rescind.toml", *words, env=env)
                self.assertEqual(done.returncode, 0, done.stderr)
                said.append(re.findall(r"rescind/[0-9a-f]{16}\+\S+", done.stdout))
            self.assertEqual(sorted(file.name for file in etc.iterdir()), ["opt-outs.toml", "rescind.toml"])
            self.assertEqual([file.name for file in lib.iterdir()], ["ledger.key"])
            self.assertIn(f'signing_key = "{lib}/ledger.key"', (etc / "rescind.toml").read_text())
            # The service will sign with the key whose public part was kept.
            self.assertEqual((len(said[0]), said[0]), (1, said[1]))

    def test_the_image_is_named_by_its_digest(self):
        pattern = self.template.raw["Parameters"]["Image"]["AllowedPattern"]
        self.assertRegex(f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/rescind@sha256:{'9f' * 32}", pattern)
        for image in ["rescind", "rescind:latest", "rescind:1.0@sha256:abc", f"rescind:{'0' * 64}"]:
            self.assertNotRegex(image, pattern)

    def test_the_container_can_do_little(self):
        (container,) = self.template.properties("Task")["ContainerDefinitions"]
        self.assertEqual(container["User"], "65532:65532")
        self.assertIs(container["ReadonlyRootFilesystem"], True)
        self.assertEqual(container["LinuxParameters"], {"Capabilities": {"Drop": ["ALL"]}})
        instance = self.template.raw["Resources"]["Instance"]["Properties"]
        self.assertEqual(instance["MetadataOptions"], {"HttpTokens": "required", "HttpPutResponseHopLimit": 1})


if __name__ == "__main__":
    unittest.main()
