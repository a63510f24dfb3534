"""Tests each artefact: it is installed into a clean root directory, run there, and removed where that is possible."""
import gzip
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

import image
from project import Project
from tools import Failed, fail_unless, said

# The glibc of Amazon Linux 2023. A binary that needs a newer one does not start there.
NEWEST_GLIBC = (2, 34)
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"
# What the scripts of the packages run.
OF_SCRIPTS = ["sh", "install", "rmdir", "systemctl", "systemd-sysusers"]


@contextmanager
def clean_root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rescind-root-") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        yield root


def add_programs(root: Path, *programs: str) -> None:
    """Copies programs of this system into a root directory, with the libraries that they need."""
    for name in ["bin", "sbin", "lib", "lib64"]:
        # /bin is /usr/bin on most systems.
        if Path("/", name).is_symlink() and not (root / name).exists():
            (root / "usr" / name).mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(f"usr/{name}")
    for name in programs:
        path = Path(shutil.which(name) or name)
        add_file(root, path)
        for library in re.findall(r"(/\S+) \(0x", said("ldd", path)):
            add_file(root, Path(library))


def add_file(root: Path, path: Path) -> None:
    place = root / str(path).lstrip("/")
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)


def runs(root: Path, project: Project, *before: str, program: str = "/usr/bin/rescind") -> None:
    """The binary starts in the root directory, where there is nothing else that helps it."""
    found = said(CHROOT, *before, root, program, "--version", env={}).strip()
    wanted = f"rescind {project.version}" + (f" ({project.commit})" if project.commit else "")
    fail_unless(found == wanted, f"{program} --version said {found!r}, not {wanted!r}")


def holds(root: Path, project: Project, kind: str) -> None:
    """Every file of the list is there, as it is in the work tree; dpkg's manual pages and changelog are zipped."""
    files = project.files(kind)
    fail_unless(len(files) > 100, f"the list of {kind} has only {len(files)} files")
    for file in files:
        place = root / file.place
        zipped = place.with_name(place.name + ".gz")
        fail_unless(place.is_file() or zipped.is_file(), f"/{file.place} is not there")
        content = place.read_bytes() if place.is_file() else gzip.decompress(zipped.read_bytes())
        fail_unless(content == file.source.read_bytes(), f"/{file.place} is not {file.source}")
        mode = (place if place.is_file() else zipped).stat().st_mode & 0o777
        fail_unless(mode == file.mode, f"/{file.place} has the mode {mode:o}, not {file.mode:o}")


def service_is_set_up(root: Path) -> None:
    user = [line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("rescind:")]
    fail_unless(len(user) == 1, "there is no user rescind")
    uid, gid = map(int, user[0].split(":")[2:4])
    for place, wanted in {"etc/rescind": (0, gid, 0o750), "var/lib/rescind": (uid, gid, 0o700)}.items():
        found = (root / place).stat()
        is_there = (found.st_uid, found.st_gid, found.st_mode & 0o777)
        fail_unless(is_there == wanted, f"/{place} is {is_there}, not {wanted}")
    wants = root / "etc/systemd/system/multi-user.target.wants/rescind.service"
    fail_unless(wants.is_symlink(), "the unit is not enabled")


def is_gone(root: Path, ledger: Path) -> None:
    fail_unless(not (root / "usr/bin/rescind").exists(), "/usr/bin/rescind is still there")
    fail_unless(not (root / "etc/systemd/system/multi-user.target.wants/rescind.service").is_symlink(), "the unit is still enabled")
    fail_unless(ledger.read_text() == "evidence", "the ledger is gone")


def deb(project: Project, path: Path) -> str:
    with clean_root() as root:
        for folder in ["etc", "var/lib/dpkg/updates", "var/lib/dpkg/info"]:
            (root / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        # The dependencies are not in the empty root; apt sees to them on a real host.
        dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", f"--log={os.devnull}"]
        said(*dpkg, "--install", path)
        holds(root, project, "deb")
        service_is_set_up(root)
        add_programs(root, str(project.binary()))
        runs(root, project)
        ledger = root / "var/lib/rescind/ledger.db"
        ledger.write_text("evidence")
        said(*dpkg, "--remove", "rescind")
        said(*dpkg, "--purge", "rescind")
        is_gone(root, ledger)
    return "installed by dpkg, run, removed"


def rpm(project: Project, path: Path) -> str:
    newest = newest_glibc(project.binary())
    fail_unless(
        newest <= NEWEST_GLIBC,
        f"the binary needs glibc {newest[0]}.{newest[1]}, and Amazon Linux 2023 has 2.34: build it on an older system",
    )
    with clean_root() as root:
        for folder in ["etc", "var/lib", "var/tmp", "dev", "proc"]:
            (root / folder).mkdir(parents=True)
        (root / "dev/null").touch()
        add_programs(root, *OF_SCRIPTS, str(project.binary()))
        command = ["rpm", "--root", root, "--dbpath", "/var/lib/rpm"]
        said(*command, "--initdb")
        # As with dpkg: what it requires is not there.
        said(*command, "--nodeps", "--install", path)
        holds(root, project, "generate-rpm")
        service_is_set_up(root)
        fail_unless(said(*command, "--nodeps", "--verify", "rescind") == "", "rpm --verify finds a difference")
        runs(root, project)
        ledger = root / "var/lib/rescind/ledger.db"
        ledger.write_text("evidence")
        said(*command, "--erase", "rescind")
        is_gone(root, ledger)
    return "installed by rpm, verified, run, removed"


def cargo(project: Project, path: Path) -> str:
    same = path.read_bytes() == project.binary().read_bytes()
    fail_unless(same, "cargo install made another binary than cargo build")
    said(path, "--version")
    return "installed into an empty directory, run"


def tarball(project: Project, path: Path) -> str:
    is_static(project.binary(project.musl))
    with clean_root() as root:
        local = root / "usr/local"
        local.mkdir(parents=True)
        said("tar", "-xzf", path, "--strip-components=1", "--no-same-owner", "-C", local)
        runs(root, project, program="/usr/local/bin/rescind")
        unit = (local / "lib/systemd/system/rescind.service").read_text()
        fail_unless("ExecStart=/usr/local/bin/rescind " in unit, "the unit starts another binary")
        for place in ["share/man/man1/rescind.1", "share/bash-completion/completions/rescind", "share/zsh/site-functions/_rescind"]:
            fail_unless((local / place).is_file(), f"{place} is not there")
    return "static, unpacked into an empty root, run"


def wheel(project: Project, path: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="rescind-venv-") as folder:
        venv = Path(folder) / "venv"
        said("python3", "-m", "venv", venv)
        said(venv / "bin/pip", "--disable-pip-version-check", "install", "--no-index", path)
        said(venv / "bin/rescind", "--version", env={})
        is_static(venv / "bin/rescind")
        for place in ["share/man/man1/rescind.1", "share/bash-completion/completions/rescind"]:
            fail_unless((venv / place).is_file(), f"{place} is not there")
        said(venv / "bin/pip", "--disable-pip-version-check", "uninstall", "--yes", "rescind")
        fail_unless(not (venv / "bin/rescind").exists(), "pip uninstall leaves the binary")
    return "installed by pip into a fresh venv, run, removed"


def oci(project: Project, path: Path) -> str:
    with clean_root() as root:
        config = unpacked(path, root)["config"]
        fail_unless(config["User"].split(":")[0] not in ("", "0", "root"), f"it runs as {config['User']!r}")
        program, *_ = config["Entrypoint"]
        is_static(root / program.lstrip("/"))
        runs(root, project, f"--userspec={config['User']}", program=program)
        # The whole command: it starts, and misses only the configuration, which is mounted.
        command = [CHROOT, f"--userspec={config['User']}", str(root), *config["Entrypoint"], *config["Cmd"]]
        done = subprocess.run(command, env={}, capture_output=True, text=True)
        fail_unless(done.returncode == 2, f"without a configuration it ended with {done.returncode}: {done.stderr}")
        state = (root / config["WorkingDir"].lstrip("/")).stat()
        fail_unless(config["User"] == f"{state.st_uid}:{state.st_gid}", "the folder of the ledger belongs to somebody else")
        labels = config["Labels"]
        fail_unless(labels["org.opencontainers.image.version"] == project.version, "the label of the version is wrong")
    return "digests checked, unpacked into an empty root, run as its user"


def unpacked(path: Path, root: Path) -> dict:
    """Unpacks the image of an archive and returns its configuration; every digest and size is checked."""
    with tempfile.TemporaryDirectory(prefix="rescind-oci-") as folder:
        layout = Path(folder)
        said("tar", "-xf", path, "-C", layout)
        read = lambda name: json.loads((layout / name).read_text())
        fail_unless(read("oci-layout") == {"imageLayoutVersion": "1.0.0"}, "it is no OCI layout")
        seen: List[str] = []

        def blob(described: dict) -> bytes:
            seen.append(described["digest"])
            content = (layout / "blobs" / described["digest"].replace(":", "/")).read_bytes()
            is_there = (image.digest(content), len(content))
            fail_unless(is_there == (described["digest"], described["size"]), f"{described['digest']} is {is_there}")
            return content

        (of_manifest,) = read("index.json")["manifests"]
        manifest = json.loads(blob(of_manifest))
        config = json.loads(blob(manifest["config"]))
        layers = [gzip.decompress(blob(layer)) for layer in manifest["layers"]]
        fail_unless([image.digest(layer) for layer in layers] == config["rootfs"]["diff_ids"], "the layers are others")
        there = sorted(f"{each.parent.name}:{each.name}" for each in (layout / "blobs").rglob("*") if each.is_file())
        fail_unless(there == sorted(seen), "there are blobs that nothing names")
        for layer in layers:
            (layout / "layer.tar").write_bytes(layer)
            said("tar", "-xpf", layout / "layer.tar", "-C", root)
        return config


def sbom(project: Project, path: Path) -> str:
    bom = json.loads(path.read_text())
    component = bom["metadata"]["component"]
    fail_unless((component["name"], component["version"]) == ("rescind", project.version), "it is of something else")
    names = {each["name"] for each in bom["components"]}
    for name in ["rustls", "aws-sdk-iam", "rusqlite"]:
        fail_unless(name in names, f"{name} is not in it")
    return f"{len(bom['components'])} components"


def is_static(path: Path) -> None:
    """An ELF file without an interpreter (PT_INTERP) and without libraries (DT_NEEDED)."""
    content = path.read_bytes()
    fail_unless(content[:5] == b"\x7fELF\x02", f"{path} is no 64-bit ELF file")
    offset, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for number in range(count):
        kind, _, start, _, _, length = struct.unpack_from("<IIQQQQ", content, offset + number * size)
        fail_unless(kind != 3, f"{path} is not static: it has an interpreter")
        if kind == 2:
            tags = [struct.unpack_from("<QQ", content, place)[0] for place in range(start, start + length, 16)]
            fail_unless(1 not in tags, f"{path} is not static: it needs libraries")


def newest_glibc(path: Path) -> tuple:
    """The newest version of glibc's symbols that a binary names."""
    found = re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes())
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


__all__ = ["Failed", "cargo", "checksum", "deb", "oci", "rpm", "sbom", "tarball", "wheel"]
