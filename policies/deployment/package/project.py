"""What is packed: the crate, its version and commit, and the files that come with the binary.

Cargo.toml lists these files, for the Debian package and for the RPM package. All other artefacts take
them from there.
"""
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, NamedTuple

ROOT = Path(__file__).resolve().parents[3]
# How Cargo.toml names the binary, whatever the profile, the target and the target directory are.
BINARY = "target/release/rescind"


class Asset(NamedTuple):
    """A line of the lists: a file or a pattern, the place or the folder where it ends up, and its mode."""

    source: str
    place: str
    mode: int


class File(NamedTuple):
    """A file of the list. The place has no slash at its beginning."""

    source: Path
    place: str
    mode: int


@dataclass(frozen=True)
class Project:
    version: str
    description: str
    licence: str
    metadata: Dict
    target: Path
    host: str
    commit: str
    epoch: int
    profile: str

    @classmethod
    def read(cls, profile: str = "release") -> "Project":
        said = output("cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version", "1")
        metadata = json.loads(said)
        (package,) = metadata["packages"]
        (host,) = [line.split()[1] for line in output("rustc", "-vV").splitlines() if line.startswith("host:")]
        return cls(
            version=package["version"],
            description=package["description"],
            licence=package["license"],
            metadata=package["metadata"],
            target=Path(metadata["target_directory"]),
            host=host,
            commit=os.environ.get("RESCIND_COMMIT") or of_git("rev-parse", "--short=12", "HEAD"),
            epoch=int(os.environ.get("SOURCE_DATE_EPOCH") or of_git("log", "-1", "--format=%ct") or 0),
            profile=profile,
        )

    @property
    def machine(self) -> str:
        """As Rust, RPM and wheels name the processor: x86_64 or aarch64."""
        return self.host.split("-")[0]

    @property
    def oci_machine(self) -> str:
        """As images and Debian name it."""
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(self.machine, self.machine)

    @property
    def musl(self) -> str:
        return f"{self.machine}-unknown-linux-musl"

    @property
    def out(self) -> Path:
        return self.target / "dist"

    def binary(self, triple: str = "") -> Path:
        folder = "debug" if self.profile == "dev" else self.profile
        return self.target / triple / folder / "rescind"

    def assets(self, kind: str) -> List[Asset]:
        """The list of the Debian package (`deb`) or of the RPM package (`generate-rpm`)."""
        listed = self.metadata[kind]["assets"]
        if kind == "deb":
            return [Asset(source, place, int(mode, 8)) for source, place, mode in listed]
        return [Asset(each["source"], each["dest"].lstrip("/"), int(each["mode"], 8)) for each in listed]

    def files(self, kind: str) -> List[File]:
        return [file for asset in self.assets(kind) for file in expanded(asset, self.binary())]


def expanded(asset: Asset, binary: Path) -> List[File]:
    """The files of a line. Below the first `*` of a pattern, folders stay, as both tools have it."""
    if asset.source == BINARY:
        return [File(binary, asset.place + ("rescind" if asset.place.endswith("/") else ""), asset.mode)]
    if "*" not in asset.source:
        source = ROOT / asset.source
        return [File(source, asset.place + (source.name if asset.place.endswith("/") else ""), asset.mode)]
    base = ROOT / asset.source.split("*")[0].rpartition("/")[0]
    found = sorted(path for path in ROOT.glob(asset.source) if path.is_file())
    return [File(path, f"{asset.place}{path.relative_to(base)}", asset.mode) for path in found]


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def of_git(*words: str) -> str:
    """What git says of this work tree; nothing in an unpacked archive, or within somebody else's repository."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0 or not (ROOT / ".git").exists():
        return ""
    return done.stdout.strip()
