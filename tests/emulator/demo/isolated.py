"""Child processes that can reach the emulated organization and nothing else of AWS's."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Optional, TextIO

from emulated_org.client import Emulator
from emulated_org.isolation import require_loopback

from .story import MARGIN, Unexpected, columns

PACKAGES = Path(__file__).resolve().parent.parent
ROOT = PACKAGES.parent.parent
LOG = "emulator.log"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
NO_FILES = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def clean_environment() -> Dict[str, str]:
    """This process's environment without AWS settings, proxies and rescind's own variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("AWS_", "BOTO_", "RESCIND_")) and name.upper() not in PROXIES
    }
    return {**kept, **NO_FILES, "COLUMNS": str(columns() - MARGIN)}


def forget_proxies() -> None:
    """For the AWS calls of this process itself."""
    for name in list(os.environ):
        if name.upper() in PROXIES:
            del os.environ[name]


def credentials_environment(endpoint: str, credentials: Mapping, region: str) -> Dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": require_loopback(endpoint),
        **access_key_environment(credentials),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


def access_key_environment(credentials: Mapping) -> Dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": credentials["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": credentials["secret_access_key"],
        "AWS_SESSION_TOKEN": credentials["session_token"],
    }


class EmulatedOrganization:
    """The emulator as a child process that ends with this one, however this one ends."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / LOG

    def __enter__(self) -> "EmulatedOrganization":
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emulated_org", "--port", "0", "--exit-with-stdin"],
                cwd=PACKAGES,
                env=clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the demo, which then closes stdin
            )
        first_line = self.process.stdout.readline().split()
        if not first_line:
            self.__exit__()
            raise Unexpected(f"the emulated organization did not start:\n{self._log.read_text()}")
        self.endpoint = first_line[-1]
        self.emulator = Emulator(self.endpoint)
        return self

    def __exit__(self, *error) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Rescind:
    """The real binary, run from the repository's root as a person would."""

    def __init__(self, binary: Path, config: Path) -> None:
        self.binary = binary
        self.config = config
        self._aws: Dict[str, str] = {}

    def use(self, endpoint: str, credentials: Mapping, region: str) -> None:
        self._aws = credentials_environment(endpoint, credentials, region)

    def command(self, *arguments: str) -> str:
        return " ".join([from_root(self.binary), "-c", from_root(self.config), *arguments])

    def start(self, output: TextIO, *arguments: str) -> subprocess.Popen:
        """Goes on until somebody ends it."""
        return subprocess.Popen(
            self._line(*arguments),
            cwd=ROOT,
            env={**clean_environment(), **self._aws},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends it
        )

    def _line(self, *arguments: str) -> List[str]:
        return [str(self.binary), "-c", from_root(self.config), *arguments]

    def run(self, *arguments: str, aws: Optional[bool] = True) -> str:
        """What it prints. Anything but exit code 0 is unexpected."""
        done = subprocess.run(
            self._line(*arguments),
            cwd=ROOT,
            env={**clean_environment(), **(self._aws if aws else {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise Unexpected(
                f"`{self.command(*arguments)}` ended with exit code {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout + done.stderr


def from_root(path: Path) -> str:
    """The path as it is typed in the repository's root, if it is below it."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)
