"""Makes the artefacts. There is one release build for each of two targets, and each artefact takes its binary from it.

The binary of the host's own target (glibc) is for hosts: it finds people and names as the host does. The static one
(musl) runs on any Linux and is for the image, the tarball and the wheel.
"""
import base64
import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import List, Set

import archive
import image
from archive import Entry
from project import ROOT, File, Project
from tools import build, fail_unless, said

COMPLETIONS = {"bash": "rescind.bash", "zsh": "_rescind", "fish": "rescind.fish"}


class Maker:
    def __init__(self, project: Project, built: bool):
        """BUILT: the binaries are there, and none is built."""
        self.project = project
        self.built: Set[str] = {"", project.musl} if built else set()
        self.has_pages = False

    def binary(self, triple: str = "") -> Path:
        """The binary of a target, with the manual pages and completions that the first of them writes."""
        project, path = self.project, self.project.binary(triple)
        if triple not in self.built:
            target = ["--target", triple] if triple else []
            build("cargo", "build", "--locked", "--bin", "rescind", "--profile", project.profile, *target, **self.variables())
            self.built.add(triple)
        fail_unless(path.is_file(), f"there is no {path}")
        if not self.has_pages:
            self.pages(path)
        return path

    def variables(self) -> dict:
        """So that what is made of one commit is the same each time."""
        return {"SOURCE_DATE_EPOCH": str(self.project.epoch), "RESCIND_COMMIT": self.project.commit}

    def pages(self, binary: Path) -> None:
        man, completions = ROOT / "target/man", ROOT / "target/completions"
        for folder in (man, completions):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        said(binary, "man", man)
        for shell, name in COMPLETIONS.items():
            (completions / name).write_text(said(binary, "completions", shell))
        self.has_pages = True

    def cargo(self) -> Path:
        """What `cargo install` makes. It takes the build of the binary where there is one."""
        self.binary()
        root = self.project.target / "dist-cargo"
        shutil.rmtree(root, ignore_errors=True)
        build("cargo", "install", "--locked", "--path", ".", "--no-track", "--profile", self.project.profile, "--root", root,
              "--target-dir", self.project.target, **self.variables())
        return root / "bin/rescind"

    def deb(self) -> Path:
        self.binary()
        path = self.project.out / f"rescind_{self.project.version}_{self.project.oci_machine}.deb"
        build("cargo", "deb", "--no-build", "--no-strip", "--profile", self.project.profile, "--deb-revision", "", "--output", path,
              **self.variables())
        return path

    def rpm(self) -> Path:
        self.binary()
        path = self.project.out / f"rescind-{self.project.version}-1.{self.project.machine}.rpm"
        build("cargo", "generate-rpm", "--profile", self.project.profile, "--target-dir", self.project.target, "--output", path,
              **self.variables())
        return path

    def tarball(self) -> Path:
        """What is below /usr in the Debian package, as it is unpacked to /usr/local."""
        project = self.project
        name = f"rescind-{project.version}-{project.machine}-linux-musl"
        binary = self.binary(project.musl).read_bytes()
        entries: List[Entry] = [Entry(f"{name}/share/doc/rescind/LICENSE", 0o644, (ROOT / "LICENSE").read_bytes())]
        for file in project.files("deb"):
            place = f"{name}/{below_usr(file.place)}"
            content = binary if file.source == project.binary() else file.source.read_bytes()
            if place.endswith(".service"):
                content = content.replace(b"/usr/bin/rescind", b"/usr/local/bin/rescind")
            entries.append(Entry(place, file.mode, content))
        path = project.out / f"{name}.tar.gz"
        path.write_bytes(archive.zipped(archive.tar(entries, project.epoch)))
        return path

    def image(self) -> Path:
        project = self.project
        entries = image.files(
            self.binary(project.musl).read_bytes(), image.certificates().read_bytes(), (ROOT / "LICENSE").read_bytes()
        )
        config = image.settings(
            image.CONTAINERFILE.read_text(), RESCIND_VERSION=project.version, RESCIND_COMMIT=project.commit
        )
        name = f"rescind:{project.version}"
        made = image.write(entries, config, machine=project.oci_machine, name=name, epoch=project.epoch)
        path = project.out / f"rescind-{project.version}-{project.oci_machine}.oci.tar"
        path.write_bytes(made.archive)
        return path

    def wheel(self) -> Path:
        """The static binary, for every Linux: with glibc from 2014 on, and with musl."""
        project = self.project
        self.binary(project.musl)
        folder = project.target / "dist-wheel"
        shutil.rmtree(folder, ignore_errors=True)
        build("maturin", "build", "--locked", "--profile", project.profile, "--target", project.musl, "--out", folder,
              "--compatibility", "manylinux2014", "musllinux_1_2", CARGO_TARGET_DIR=str(project.target), **self.variables())
        (made,) = folder.glob("*.whl")
        path = project.out / made.name
        pages = [file for file in project.files("deb") if "/man1/" in file.place or "completions" in file.place]
        with_pages(made, path, f"rescind-{project.version}", pages)
        return path

    def sbom(self) -> Path:
        path = self.project.out / f"rescind-{self.project.version}.cdx.json"
        build("cargo", "cyclonedx", "--format", "json", "--spec-version", "1.5", "--target", self.project.host,
              "--override-filename", "rescind.cdx", **self.variables())
        shutil.move(ROOT / "rescind.cdx.json", path)
        return path


def below_usr(place: str) -> str:
    """A place of the Debian package, as it is below /usr/local or in a Python environment."""
    return place.replace("usr/", "", 1).replace("zsh/vendor-completions", "zsh/site-functions")


def with_pages(wheel: Path, path: Path, name: str, files: List[File]) -> None:
    """Copies a wheel and adds manual pages and completions, which pip and pipx put into `share`."""
    record = f"{name}.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        time = old.infolist()[0].date_time
        lines = old.read(record).decode().splitlines()
        for info in old.infolist():
            if info.filename != record:
                new.writestr(info, old.read(info), zipfile.ZIP_DEFLATED)
        for file in files:
            content = file.source.read_bytes()
            inside = f"{name}.data/data/{below_usr(file.place)}"
            summed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            lines.insert(-1, f"{inside},sha256={summed},{len(content)}")
            new.writestr(entry(inside, time), content)
        new.writestr(entry(record, time), "\n".join(lines) + "\n")


def entry(place: str, time: tuple) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(place, time)
    info.external_attr = 0o100644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
