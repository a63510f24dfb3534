"""What `make package` makes, without a build: its lists of files, its image, its wheel, its tests, and the RPM's scripts."""
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

from places import DEPLOYMENT, HUB, ROOT

PACKAGE = DEPLOYMENT / "package"
sys.path.insert(0, str(PACKAGE))

import archive
import check
import image
import make
from archive import Entry
from project import BINARY, Asset, File, Project, expanded
from tools import Failed

# The places that differ between the two kinds of package, and what only one of them lists.
OF_RPM = {"usr/share/zsh/site-functions/": "usr/share/zsh/vendor-completions/", "usr/bin/rescind": "usr/bin/"}
ONLY_RPM = {Asset("LICENSE", "usr/share/licenses/rescind/LICENSE", 0o644)}
MISSING = [tool for tool in [*check.OF_SCRIPTS, check.CHROOT] if not shutil.which(tool)]


def scratch(test: unittest.TestCase) -> Path:
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    return Path(folder.name)


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.project = Project.read()

    def test_both_packages_have_the_same_files(self):
        deb, rpm = [set(self.project.assets(kind)) for kind in ("deb", "generate-rpm")]
        self.assertLessEqual(ONLY_RPM, rpm)
        as_deb = {Asset(source, OF_RPM.get(place, place), mode) for source, place, mode in rpm - ONLY_RPM}
        self.assertEqual(as_deb, deb)
        self.assertEqual(self.project.metadata["deb"]["license-file"][0], "LICENSE")

    def test_every_line_finds_files(self):
        for asset in self.project.assets("generate-rpm"):
            # What is in target/ is built.
            if not asset.source.startswith("target/"):
                files = expanded(asset, self.project.binary())
                self.assertTrue(files and all(file.source.is_file() for file in files), asset)

    def test_what_a_build_writes_is_listed_where_it_writes_it(self):
        listed = {asset.source for asset in self.project.assets("deb") if asset.source.startswith("target/")}
        self.assertEqual(listed, {BINARY, "target/man/*.1", *(f"target/completions/{name}" for name in make.COMPLETIONS.values())})

    def test_the_kit_is_in_the_package(self):
        places = {file.place for asset in self.project.assets("deb") for file in expanded(asset, self.project.binary())}
        for folder, pattern in [(DEPLOYMENT, "*.yaml"), (HUB, "*.yaml"), (DEPLOYMENT / "terraform", "*/*.tf")]:
            for path in folder.glob(pattern):
                self.assertIn(f"usr/share/rescind/{path.relative_to(ROOT)}", places)

    def test_the_scripts_are_there_and_a_shell_reads_them(self):
        of_rpm = self.project.metadata["generate-rpm"]
        scripts = [ROOT / of_rpm[key] for key in ("post_install_script", "pre_uninstall_script", "post_uninstall_script")]
        scripts += sorted((ROOT / self.project.metadata["deb"]["maintainer-scripts"]).iterdir())
        self.assertEqual(len(scripts), 6)
        for script in scripts:
            self.assertEqual(subprocess.run(["sh", "-n", script]).returncode, 0, script)

    def test_below_the_first_wildcard_folders_stay(self):
        (file,) = expanded(Asset("policies/deployment/hub/rpm/po*st", "usr/x/", 0o644), Path("b"))
        self.assertEqual(file.place, "usr/x/post")
        places = [file.place for file in expanded(Asset("policies/deployment/terraform/*/main.tf", "usr/x/", 0o644), Path("b"))]
        self.assertIn("usr/x/log/main.tf", places)

    def test_the_wheel_is_the_binary_of_this_crate(self):
        text = (ROOT / "pyproject.toml").read_text()
        self.assertIn('bindings = "bin"', text)
        self.assertIn(f'description = "{self.project.description}"', text)
        self.assertIn(f'license = "{self.project.licence}"', text)
        self.assertRegex(text, r'(?m)^dynamic = \["version"\]$')


class Documentation(unittest.TestCase):
    """docs/install.md names artefacts and places as they are."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project.read()
        cls.text = (ROOT / "docs/install.md").read_text()

    def test_artefacts_are_called_as_they_are_made(self):
        version = re.escape(self.project.version)
        for name in [f"rescind_{version}_amd64.deb", rf"rescind-{version}-1\.x86_64\.rpm", rf"rescind-{version}-x86_64-linux-musl\.tar\.gz",
                     rf"rescind-{version}-amd64\.oci\.tar", rf"rescind-{version}-py3-none-\S+\.whl"]:
            self.assertRegex(self.text, name)
        for found in re.findall(r"rescind[-_](\d[\d.]*\d)[-_]", self.text):
            self.assertEqual(found, self.project.version)

    def test_every_place_is_one_where_a_package_puts_something(self):
        assets = [asset for kind in ("deb", "generate-rpm") for asset in self.project.assets(kind)]
        listed = {file.place for asset in assets for file in expanded(asset, self.project.binary())}
        # Manual pages are there after a build only; cargo-deb makes "copyright" of the licence.
        listed |= {asset.place.rstrip("/") for asset in assets} | {"usr/share/doc/rescind/copyright"}
        listed |= {f"usr/local/{make.below_usr(place)}" for place in listed} | {"usr/local/share/doc/rescind/LICENSE"}
        with_folders = listed | {str(folder) for place in listed for folder in Path(place).parents}
        named = re.findall(r"`/(usr/[\w./-]+)`", self.text)
        self.assertGreater(len(named), 20)
        self.assertEqual([place for place in named if place not in with_folders], [])

    def test_every_target_of_make_is_there(self):
        targets = re.search(r"(?m)^\.PHONY: (.*)$", (ROOT / "Makefile").read_text())[1].split()
        for target in re.findall(r"(?:^|`)make (\w+)", self.text, re.M):
            self.assertIn(target, targets)


class Archive(unittest.TestCase):
    ENTRIES = [Entry("a/b/c", 0o755, b"c"), Entry("a/d", 0o700, owner=7), Entry("e", 0o1777)]

    def test_it_is_the_same_whatever_the_order(self):
        made = archive.tar(self.ENTRIES, 5)
        self.assertEqual(made, archive.tar(reversed(self.ENTRIES), 5))
        self.assertNotEqual(made, archive.tar(self.ENTRIES, 6))
        self.assertEqual(archive.zipped(made), archive.zipped(made))
        with tarfile.open(fileobj=io.BytesIO(made)) as found:
            heads = [(each.name, each.mode, each.uid, each.mtime, each.isdir()) for each in found]
        self.assertEqual(heads, [("a", 0o755, 0, 5, True), ("a/b", 0o755, 0, 5, True), ("a/b/c", 0o755, 0, 5, False),
                                 ("a/d", 0o700, 7, 5, True), ("e", 0o1777, 0, 5, True)])

    def test_a_place_is_taken_once(self):
        with self.assertRaises(ValueError):
            archive.tar([Entry("a", 0o644, b"1"), Entry("a", 0o644, b"2")], 0)


class Image(unittest.TestCase):
    CONTAINERFILE = image.CONTAINERFILE.read_text()
    ARGUMENTS = {"RESCIND_VERSION": "1.2.3", "RESCIND_COMMIT": "0123456789ab"}

    def write(self, epoch: int = 1_700_000_000) -> image.Image:
        entries = image.files(b"a binary", b"roots of trust", b"a licence")
        config = image.settings(self.CONTAINERFILE, **self.ARGUMENTS)
        return image.write(entries, config, machine="amd64", name="rescind:1.2.3", epoch=epoch)

    def unpacked(self, content: bytes) -> tuple:
        folder = scratch(self)
        (folder / "image.tar").write_bytes(content)
        (folder / "root").mkdir()
        return folder / "root", check.unpacked(folder / "image.tar", folder / "root")

    def test_its_digests_are_right_and_its_settings_are_the_containerfiles(self):
        root, config = self.unpacked(self.write().archive)
        self.assertEqual((config["os"], config["architecture"]), ("linux", "amd64"))
        found = config["config"]
        self.assertEqual(found["User"], f"{image.USER}:{image.USER}")
        self.assertEqual((found["WorkingDir"], found["StopSignal"]), ("/var/lib/rescind", "SIGTERM"))
        self.assertEqual(found["Entrypoint"], ["/usr/bin/rescind", "--config", "/etc/rescind/rescind.toml"])
        self.assertEqual(found["Cmd"], ["run", "-o", "json"])
        labels = {name.rpartition(".")[2]: value for name, value in found["Labels"].items()}
        self.assertEqual((labels["version"], labels["revision"]), ("1.2.3", "0123456789ab"))
        self.assertEqual((labels["licenses"], labels["created"]), ("Apache-2.0", "2023-11-14T22:13:20Z"))
        self.assertEqual((root / "usr/bin/rescind").read_bytes(), b"a binary")
        self.assertEqual((root / "usr/bin/rescind").stat().st_mode & 0o777, 0o755)
        self.assertEqual((root / "etc/ssl/certs/ca-certificates.crt").read_bytes(), b"roots of trust")
        self.assertIn(f":{image.USER}:{image.USER}:", (root / "etc/passwd").read_text())
        self.assertEqual((root / "var/lib/rescind").stat().st_mode & 0o777, 0o700)
        if os.geteuid() == 0:
            self.assertEqual((root / "var/lib/rescind").stat().st_uid, image.USER)

    def test_it_is_the_same_each_time(self):
        self.assertEqual(self.write(), self.write())
        self.assertNotEqual(self.write().digest, self.write(epoch=1).digest)

    def test_docker_finds_in_it_what_an_oci_registry_finds(self):
        with tarfile.open(fileobj=io.BytesIO(self.write().archive)) as found:
            names = found.getnames()
            index = found.extractfile("index.json").read().decode()
            for_docker = found.extractfile("manifest.json").read().decode()
        self.assertIn(self.write().digest, index)
        self.assertIn("rescind:1.2.3", for_docker)
        blobs = re.findall(r"blobs/sha256/[0-9a-f]{64}", for_docker)
        self.assertEqual(len(blobs), 2)
        self.assertLessEqual(set(blobs), set(names))

    def test_a_byte_that_changed_is_found(self):
        with tarfile.open(fileobj=io.BytesIO(self.write().archive)) as found:
            entries = [Entry(each.name, each.mode, None if each.isdir() else found.extractfile(each).read()) for each in found]
        for number, entry in enumerate(entries):
            if entry.content and entry.place.startswith("blobs/"):
                changed = entry._replace(content=entry.content[:-1] + bytes([entry.content[-1] ^ 1]))
                with self.assertRaises(Failed, msg=entry.place):
                    self.unpacked(archive.tar([*entries[:number], changed, *entries[number + 1:]], 0))

    def test_the_containerfile_makes_the_same_files(self):
        for entry in image.files(b"", b"", b""):
            if not (image.ROOTFS / entry.place).is_file():
                self.assertRegex(self.CONTAINERFILE, rf"(?:/out)?/{re.escape(entry.place)}\b", entry.place)
        self.assertIn("policies/deployment/hub/rootfs/etc/*", self.CONTAINERFILE)
        self.assertEqual({path.parent.name for path in image.ROOTFS.rglob("*") if path.is_file()}, {"etc"})

    def test_an_instruction_that_is_not_known_is_not_left_out(self):
        with self.assertRaises(ValueError):
            image.settings(self.CONTAINERFILE + "\nVOLUME /var/lib/rescind\n", **self.ARGUMENTS)
        with self.assertRaises(KeyError):
            image.settings(self.CONTAINERFILE)


class Wheel(unittest.TestCase):
    def test_pip_installs_the_manual_pages_and_completions(self):
        folder = scratch(self)
        plain, whole = folder / "plain.whl", folder / "rescind-1.2.3-py3-none-any.whl"
        with zipfile.ZipFile(plain, "w") as wheel:
            info = "rescind-1.2.3.dist-info"
            wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: rescind\nVersion: 1.2.3\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        page = folder / "rescind.1"
        page.write_text(".TH rescind 1\n")
        pages = [File(page, "usr/share/man/man1/rescind.1", 0o644), File(page, "usr/share/zsh/vendor-completions/_rescind", 0o644)]
        make.with_pages(plain, whole, "rescind-1.2.3", pages)
        first = whole.read_bytes()
        make.with_pages(plain, whole, "rescind-1.2.3", pages)
        self.assertEqual(first, whole.read_bytes())
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
        done = subprocess.run([*pip, "--prefix", folder / "in", whole], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        for place in ("share/man/man1/rescind.1", "share/zsh/site-functions/_rescind"):
            self.assertEqual((folder / "in" / place).read_text(), page.read_text())


class Checks(unittest.TestCase):
    """What make package would not let through."""

    def test_a_binary_that_is_not_static(self):
        with self.assertRaises(Failed):
            check.is_static(Path(shutil.which("sh")))
        file = scratch(self) / "elf"
        file.write_bytes(b"\x7fELF\x02".ljust(64, b"\0"))
        check.is_static(file)
        file.write_bytes(b"#!/bin/sh\n")
        with self.assertRaises(Failed):
            check.is_static(file)

    def test_a_binary_that_needs_a_newer_glibc(self):
        file = scratch(self) / "binary"
        file.write_bytes(b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.4\0GLIBC_PRIVATE\0")
        self.assertEqual(check.newest_glibc(file), (2, 34))
        file.write_bytes(b"static")
        self.assertEqual(check.newest_glibc(file), (0, 0))

    def test_what_is_missing_is_listed_with_how_to_get_it(self):
        folder = scratch(self)
        (folder / "bin").mkdir()
        for tool in ("cargo", "rustc", "git"):
            (folder / "bin" / tool).symlink_to(shutil.which(tool))
        environment = {**os.environ, "PATH": str(folder / "bin"), "CARGO_TARGET_DIR": str(folder / "target")}
        command = [sys.executable, "-B", PACKAGE, "--only", "deb", "rpm", "wheel", "sbom"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for kind, tool in [("deb", "cargo-deb"), ("rpm", "cargo-generate-rpm"), ("sbom", "cargo-cyclonedx")]:
            self.assertRegex(done.stdout, rf"(?m)^{kind} +NOT MADE: {tool} is missing: cargo install --locked {tool}$")
        self.assertRegex(done.stdout, r"(?m)^wheel +NOT MADE: maturin is missing: ")
        self.assertEqual((folder / "target/dist/SHA256SUMS").read_text(), "")
        self.assertEqual(subprocess.run([*command, "--all"], env=environment, capture_output=True).returncode, 1)


@unittest.skipIf(MISSING, f"not on the PATH: {', '.join(MISSING)}")
@unittest.skipUnless(os.geteuid() == 0, "only root can change its root directory")
class RpmScripts(unittest.TestCase):
    """The scripts of the RPM package, as rpm calls them, in a root directory of their own."""

    def setUp(self):
        self.root = scratch(self)
        for folder in ["etc", "var/lib", "dev", "usr/lib/systemd/system", "usr/lib/sysusers.d"]:
            (self.root / folder).mkdir(parents=True)
        (self.root / "dev/null").touch()
        check.add_programs(self.root, *check.OF_SCRIPTS)
        shutil.copy(HUB / "rescind.service", self.root / "usr/lib/systemd/system")
        shutil.copy(HUB / "rescind.sysusers", self.root / "usr/lib/sysusers.d/rescind.conf")

    def run_script(self, name: str, versions: int) -> str:
        command = [check.CHROOT, self.root, "/bin/sh", "-c", (HUB / "rpm" / name).read_text(), name, str(versions)]
        done = subprocess.run(command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def enabled(self) -> bool:
        return (self.root / "etc/systemd/system/multi-user.target.wants/rescind.service").is_symlink()

    def test_it_is_set_up_for_its_own_user_and_enabled(self):
        self.assertIn("not started", self.run_script("post", 1))
        check.service_is_set_up(self.root)

    def test_an_upgrade_keeps_what_the_administrator_did(self):
        self.run_script("post", 1)
        subprocess.run(["systemctl", f"--root={self.root}", "disable", "rescind.service"], capture_output=True, check=True)
        # The order of rpm: the new version's post, then the old one's preun and postun.
        said = self.run_script("post", 2) + self.run_script("preun", 1) + self.run_script("postun", 1)
        self.assertEqual(said, "")
        self.assertFalse(self.enabled())

    def test_a_removal_never_takes_the_ledger(self):
        self.run_script("post", 1)
        ledger, toml = self.root / "var/lib/rescind/ledger.db", self.root / "etc/rescind/rescind.toml"
        for file in [ledger, toml]:
            file.write_text("evidence")
        self.run_script("preun", 0)
        self.assertFalse(self.enabled())
        said = self.run_script("postun", 0)
        self.assertEqual((ledger.read_text(), toml.read_text()), ("evidence", "evidence"))
        self.assertIn("Kept: /var/lib/rescind.", said)

    def test_a_removal_leaves_nothing_where_there_was_no_ledger(self):
        self.run_script("post", 1)
        self.run_script("preun", 0)
        self.assertEqual(self.run_script("postun", 0), "")
        self.assertEqual([place for place in ["etc/rescind", "var/lib/rescind"] if (self.root / place).exists()], [])


if __name__ == "__main__":
    unittest.main()
