"""Programs that are needed, how to get those that are missing, and how they are run."""
import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

from image import certificates
from project import ROOT, output


class Failed(Exception):
    """A program failed, or what it made is not as it should be."""


class Need(NamedTuple):
    what: str
    how: str
    there: Callable[[], bool]


def program(name: str, how: str) -> Need:
    return Need(name, how, lambda: shutil.which(name) is not None)


def has_certificates() -> bool:
    try:
        return certificates().is_file()
    except FileNotFoundError:
        return False


def has_musl_target() -> bool:
    """Whether the compiler has a standard library for it, however it was installed."""
    triple = output("rustc", "-vV").split("host: ")[1].split("-")[0] + "-unknown-linux-musl"
    return Path(output("rustc", "--print", "target-libdir", "--target", triple).strip()).is_dir()


CARGO_DEB = program("cargo-deb", "cargo install --locked cargo-deb")
SHLIBDEPS = program("dpkg-shlibdeps", "apt install dpkg-dev")
DPKG = program("dpkg", "apt install dpkg")
CARGO_RPM = program("cargo-generate-rpm", "cargo install --locked cargo-generate-rpm")
RPM = program("rpm", "apt install rpm, dnf install rpm")
MATURIN = program("maturin", "pipx install maturin")
CYCLONEDX = program("cargo-cyclonedx", "cargo install --locked cargo-cyclonedx")
MUSL_GCC = program("musl-gcc", "apt install musl-tools")
MUSL_TARGET = Need("the Rust target for musl", "rustup target add $(uname -m)-unknown-linux-musl", has_musl_target)
CERTIFICATES = Need("the system's certificates", "apt install ca-certificates", has_certificates)
VENV = Need("venv", "apt install python3-venv", lambda: ran("python3", "-c", "import ensurepip, venv"))
SYSTEMD = program("systemd-sysusers", "apt install systemd")
HELPERS = program("deb-systemd-helper", "apt install init-system-helpers")
SUPERUSER = Need("root, for a clean root directory", "run it as root", lambda: os.geteuid() == 0)


def ran(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def build(*command, **variables: str) -> None:
    """Runs a command that takes long and says on its way what it does."""
    print(f"$ {' '.join(map(str, command))}", flush=True)
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env={**os.environ, **variables})
    if done.returncode != 0:
        raise Failed(f"{command[0]} {command[1]} ended with {done.returncode}")


def said(*command, cwd: Optional[Path] = None, env: Optional[Dict[str, str]] = None) -> str:
    """Runs a command, and returns what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd or ROOT, env=env, capture_output=True, text=True)
    # rpm only warns when a script of a package fails.
    if done.returncode != 0 or "scriptlet failed" in done.stderr:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def missing(needs: List[Need]) -> List[Need]:
    return [need for need in needs if not need.there()]


def fail_unless(condition: object, message: str) -> None:
    if not condition:
        raise Failed(message)
