"""One of several hosts that share a log: a folder, credentials and a process of its own."""
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Callable, List, Mapping, Optional

from emulated_org.client import Emulator

from .isolated import Rescind
from .story import Unexpected

PATIENCE_SECONDS = 60
KEPT = ("rescind.toml", "ledger.key", "opt-outs.toml")


class Host:
    def __init__(self, name: str, rescind: Rescind) -> None:
        self.name = name
        self.rescind = rescind
        self.directory = rescind.config.parent
        self._process: Optional[subprocess.Popen] = None

    def start(self) -> None:
        with (self.directory / "rescind.log").open("a") as log:
            self._process = self.rescind.start(log, "run")

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        self._process.terminate()
        code = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        if code:
            raise Unexpected(f"{self.name} ended with exit code {code}:\n{self._said()}")

    def lose_disk(self) -> None:
        """What it was set up with is there again; all else is gone."""
        for path in self.directory.iterdir():
            if path.name not in KEPT:
                path.unlink()

    def is_alive(self) -> bool:
        return self._process is not None

    def role(self) -> str:
        """How it stands to the log: leader, follower, or nothing yet."""
        return (self._live().get("log") or {}).get("role", "")

    def watches(self) -> bool:
        """Whether it leads, and has read every region."""
        regions = self._live().get("regions") or {}
        return self.role() == "leader" and bool(regions) and all(one["last_read"] for one in regions.values())

    def follows(self) -> bool:
        log = self._live().get("log") or {}
        return log.get("role") == "follower" and bool(log.get("leader"))

    def json_lines(self, *arguments: str) -> List[dict]:
        return [json.loads(line) for line in self.rescind.run(*arguments, "-o", "jsonl").splitlines()]

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        wait(is_so, f"{self.name} {what}", self._said)

    def _live(self) -> Mapping:
        try:
            return json.loads((self.directory / "ledger.db.live").read_bytes())
        except FileNotFoundError:
            return {}

    def _said(self) -> str:
        log = self.directory / "rescind.log"
        return "\n".join(log.read_text().splitlines()[-20:]) if log.exists() else ""


def wait(is_so: Callable[[], bool], what: str, said: Callable[[], str] = str) -> None:
    """Looks until something is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise Unexpected(f"expected: {what}\n{said()}")
        time.sleep(0.1)


def make_hosts(first: Rescind, names: List[str]) -> List[Host]:
    """Hosts in folders beside the first one's, configured as it is, and with its key."""
    hosts = [Host(names[0], first)]
    for name in names[1:]:
        directory = first.config.parent.parent / name
        directory.mkdir()
        for file in KEPT:
            shutil.copy(first.config.parent / file, directory / file)
        hosts.append(Host(name, Rescind(first.binary, directory / "rescind.toml")))
    return hosts


def use_roles(hosts: List[Host], emulator: Emulator, endpoint: str, account: str, role: str, region: str) -> None:
    """Each host has a session of the hub's role, as its machine gets it."""
    for host in hosts:
        host.rescind.use(endpoint, emulator.session(account=account, role=role), region)
