"""`make demo-up`: the theft as it stands, and a console to answer it in, kept running."""
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List, Mapping, Optional

from botocore.exceptions import ClientError
from openid_provider.people import DEFAULT, OLGA, VERA
from openid_provider.server import serving

from . import scene as s
from .console import answers, free_address, let_people_in, service, wait_until
from .isolated import (
    NO_FILES,
    EmulatedOrganization,
    Rescind,
    access_key_environment,
    credentials_environment,
    from_root,
)
from .probe import Outcome, probe, probe_one
from .scene import Scene
from .story import Story, Unexpected

THIEFS_CALL = "s3:ListBuckets"
# Seconds between two of the thief's calls.
PAUSE = 3


def stand(story: Story, rescind: Rescind, directory: Path) -> None:
    config, script, log = directory / "rescind.toml", directory / "env.sh", directory / "rescind.log"
    # A polite kill and a closed terminal end it like Ctrl-C does, which ends it even where a shell had it ignored: the
    # service would go on otherwise.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    story.title("rescind: an emulated organization with a theft in progress")
    address = free_address()
    url = f"http://{address}"
    with EmulatedOrganization(directory) as organization, serving(url) as issuer:
        s.write_config(rescind, config, mode="approve")
        let_people_in(config, address, issuer)
        scene = Scene(organization.emulator, rescind, config)
        stolen = scene.session(s.STOLEN_ROLE)
        scene.take_away(stolen)
        for outcome in probe(organization.emulator, stolen):
            if not outcome.allowed:
                raise Unexpected(f"the thief's {outcome.call} is denied from the start: {outcome.answer}")
        scene.report_theft(stolen)
        scene.report_what_to_leave_alone()
        rescind.use(organization.endpoint, scene.hub, s.REGIONS[0])
        hub = credentials_environment(organization.endpoint, scene.hub, s.REGIONS[0])
        own = {"RESCIND_CONFIG": str(config), "DEMO_EXTERNAL_ID": s.external_id(config)}
        lines = _script({**hub, **NO_FILES, **own}, access_key_environment(stolen))
        _write_private(script, lines)
        try:
            with service(rescind, log) as running:
                wait_until(lambda: answers(url), f"the console answers at {url}", running, log)
                held = ("list", "--status", "held", "-o", "jsonl")
                wait_until(lambda: bool(rescind.run(*held)), "the revocation is held", running, log)
                _explain(story, script, rescind, url)
                processes = {"the emulated organization": organization.process, "rescind": running}
                _wait(story, Thief(organization, stolen), processes)
        finally:
            # Its credentials mean nothing without this process.
            script.unlink(missing_ok=True)
        story.plain("\nStopped.")


class Thief:
    """Goes on with what was stolen, and is the one who knows whether it is denied."""

    def __init__(self, organization: EmulatedOrganization, stolen: Mapping) -> None:
        self._emulator = organization.emulator
        self._stolen = stolen
        self._last: Optional[bool] = None

    def tries(self) -> Optional[Outcome]:
        """One more call; what came of it, if that is something else than before."""
        try:
            outcome = probe_one(self._emulator, self._stolen, THIEFS_CALL)
        except ClientError as error:
            # Whatever else AWS says, such as that the session has expired.
            outcome = Outcome(THIEFS_CALL, False, error.response["Error"]["Code"])
        if outcome.allowed == self._last:
            return None
        self._last = outcome.allowed
        return outcome


def _explain(story: Story, script: Path, rescind: Rescind, url: str) -> None:
    binary = from_root(rescind.binary)
    story.say(
        f"A thief holds a session of the role {s.STOLEN_ROLE} in the account shop ({s.SHOP}). GuardDuty has reported "
        "it, and rescind waits for an approval: nothing was changed yet."
    )
    story.heading("Open the console in a browser")
    story.plain(f"   {url}/")
    story.say(
        f"You are logged in as {DEFAULT.name}, an {DEFAULT.role}: look at what is held, and approve it. To be "
        f"{VERA.name}, who only reads, or {OLGA.name}, an {OLGA.role}, log out there and log in again. The login is a "
        "demo: it has no passwords, and whoever is on this machine can be any of them."
    )
    story.heading("Or type, in another terminal, in this folder")
    story.rows(
        [
            [f". {from_root(script)}", "that terminal now reaches this emulation instead of AWS"],
            [f"{binary} status", "what the service does, and what waits for an answer"],
            [f"{binary} approve ID", "have it revoked"],
            [f"{binary} list --decisions", "what was decided, and why"],
            ["thief aws s3api list-buckets", "a call with the stolen session (needs the AWS CLI)"],
        ]
    )
    story.say("rescind's own session lasts 12 hours, the thief's 6. For the real AWS, open a new terminal.")
    story.heading("Running until you press Ctrl-C.")


def _script(hub: Dict[str, str], thief: Dict[str, str]) -> List[str]:
    """Shell lines, for sh, bash and zsh. No setting of the real AWS survives them."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in hub.items()]
    stolen = " ".join(f"{name}={shlex.quote(value)}" for name, value in thief.items())
    return [
        "# rescind's credentials in the emulated organization.",
        "for name in $(env | sed -n 's/^\\(AWS_[A-Za-z0-9_]*\\)=.*/\\1/p'); do unset \"$name\"; done",
        *exports,
        'export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}" no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"',
        "# One command with the stolen session: thief aws s3api list-buckets",
        f'thief() {{ env {stolen} "$@"; }}',
    ]


def _write_private(path: Path, lines: List[str]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def _wait(story: Story, thief: Thief, processes: Mapping[str, subprocess.Popen]) -> None:
    try:
        while True:
            outcome = thief.tries()
            if outcome:
                story.say(time.strftime("%H:%M:%S  the thief's call:"))
                story.call(outcome.call, outcome.allowed, not outcome.allowed, outcome.answer)
            time.sleep(PAUSE)
            for name, process in processes.items():
                if process.poll() is not None:
                    raise Unexpected(f"{name} ended by itself, with exit code {process.returncode}")
    except KeyboardInterrupt:
        return
