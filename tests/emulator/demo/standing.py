"""`make demo-up`: the theft as it stands, kept running for another terminal."""
import os
import re
import shlex
import signal
from pathlib import Path
from typing import Dict, List

from . import scene as s
from .isolated import (
    NO_FILES,
    EmulatedOrganization,
    Rescind,
    access_key_environment,
    credentials_environment,
    from_root,
)
from .probe import probe
from .scene import Scene
from .story import Story, Unexpected


def stand(story: Story, rescind: Rescind, directory: Path) -> None:
    config, script = directory / "rescind.toml", directory / "env.sh"
    story.title("rescind: an emulated organization with a theft in progress")
    with EmulatedOrganization(directory) as organization:
        s.write_config(rescind, config)
        scene = Scene(organization.emulator, rescind, config)
        stolen = scene.session(s.STOLEN_ROLE)
        for outcome in probe(organization.emulator, stolen):
            if not outcome.allowed:
                raise Unexpected(f"the thief's {outcome.call} is denied from the start: {outcome.answer}")
        scene.report_theft(stolen)
        scene.report_what_to_leave_alone()
        hub = credentials_environment(organization.endpoint, scene.hub, s.REGIONS[0])
        lines = _script({**hub, **NO_FILES, "RESCIND_CONFIG": str(config)}, access_key_environment(stolen))
        _write_private(script, lines)
        try:
            story.say(
                f"{organization.endpoint} answers as AWS. A thief holds a session of {s.STOLEN_ROLE} in the account "
                f"shop ({s.SHOP}); four findings wait in GuardDuty; nothing has been done about them."
            )
            _explain(story, script, rescind)
            story.heading(f"What {from_root(script)} sets")
            for line in lines:
                story.plain(line)
            story.heading("Running until you press Ctrl-C.")
            _wait(organization)
        finally:
            # Its credentials mean nothing without this process.
            script.unlink(missing_ok=True)
        story.plain("\nStopped.")


def console(config: Path) -> str:
    """Where a service with this configuration answers: a page for people, which nobody can log in to, and so read only."""
    found = re.search(r'(?m)^listen = "([^"]+)"$', config.read_text())
    if not found:
        raise Unexpected(f"{config} does not say where the console answers")
    return f"http://{found.group(1)}/"


def _explain(story: Story, script: Path, rescind: Rescind) -> None:
    binary = from_root(rescind.binary)
    story.heading("In another terminal, in this folder")
    story.rows(
        [
            [f". {from_root(script)}", "that terminal now reaches this emulation instead of AWS"],
            ["thief aws s3api list-buckets", "allowed: the stolen session works (needs the AWS CLI)"],
            [f"{binary} plan", "what would be done"],
            [f"{binary} run --backlog", f"the service, with its console at {console(rescind.config)}; Ctrl-C ends it"],
            [f"{binary} run --once --backlog", "revoke, also what was there before the first poll"],
            ["thief aws s3api list-buckets", "denied"],
            [f"{binary} list --decisions", "what was decided, and why"],
        ]
    )
    story.say("rescind's own session lasts 12 hours, the thief's 6. For the real AWS, open a new terminal.")


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


def _wait(organization: EmulatedOrganization) -> None:
    # A polite kill ends like Ctrl-C does, and Ctrl-C ends it even where a shell had it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        code = organization.process.wait()
    except KeyboardInterrupt:
        return
    raise Unexpected(f"the emulated organization ended by itself, with exit code {code}")
