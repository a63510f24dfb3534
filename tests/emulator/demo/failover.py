"""The demo of several hosts: the one that acts dies in the middle of it, and another goes on."""
import re
import time
from pathlib import Path
from typing import List, Mapping

from . import scene as s
from .host import Host, make_hosts, use_roles, wait
from .isolated import EmulatedOrganization, Rescind, from_root
from .probe import EXPLICIT_DENY, probe
from .scene import Scene
from .story import Story, Unexpected

TABLE = "rescind-log"
NAMES = ["host-1", "host-2", "host-3"]
PUT = "PutRolePolicy"
# As `rescind init` writes them, and as several hosts on one machine need them.
SETTINGS = [
    (r'^ledger = "ledger.db"$', f'ledger = {{ path = "ledger.db", table = "{TABLE}", lease = "5s" }}'),
    (r'^poll_interval = "1m"$', 'poll_interval = "5s"'),
    (r'^quarantine = "2m"$', 'quarantine = "0s"'),
    (r'^listen = ".*"$', 'listen = ""'),
]


def play(story: Story, rescind: Rescind, directory: Path) -> None:
    with EmulatedOrganization(directory) as organization:
        failover = Failover(story, rescind, directory, organization)
        try:
            failover.play()
        finally:
            failover.end()


class Failover:
    def __init__(self, story: Story, rescind: Rescind, directory: Path, organization: EmulatedOrganization) -> None:
        self._story = story
        self._first = Rescind(rescind.binary, directory / NAMES[0] / "rescind.toml")
        self._endpoint = organization.endpoint
        self._emulator = organization.emulator
        self._hosts: List[Host] = []

    def play(self) -> None:
        self._story.title("rescind: three hosts, of which the one that acts dies in the middle of it")
        self._story.say(
            f"Real: the binary, three times. Emulated: AWS, at {self._endpoint}, with a DynamoDB table for the log. "
            "The real AWS cannot be reached from here."
        )
        self._configure()
        self._start()
        self._steal()
        self._die()
        self._take_over()
        self._come_back()
        self._compare()

    def end(self) -> None:
        for host in self._hosts:
            host.kill()

    def _configure(self) -> None:
        self._story.step("Configure three hosts that share a log")
        config = self._first.config
        config.parent.mkdir()
        s.write_config(self._first, config)
        text = config.read_text()
        for wanted, line in SETTINGS:
            text, replaced = re.subn(f"(?m){wanted}", line, text)
            if replaced != 1:
                raise Unexpected(f"{from_root(config)} has no line {wanted}")
        config.write_text(text)
        self._story.output(SETTINGS[0][1])
        self._hosts = make_hosts(self._first, NAMES)
        self._story.say(
            "Each host has a folder, a ledger and credentials of its own; rescind.toml and the key are the same. "
            "The quarantine is off here: it would deny the thief even before the change that this is about."
        )
        self._scene = Scene(self._emulator, self._first, config)
        self._emulator.table(account=s.SECURITY, region=s.REGIONS[0], name=TABLE)
        role = self._scene.hub["role_arn"].rpartition("/")[2]
        use_roles(self._hosts, self._emulator, self._endpoint, s.SECURITY, role, s.REGIONS[0])

    def _start(self) -> None:
        self._story.step("Start them")
        for host in self._hosts:
            self._story.command(host.rescind.command("run"))
            host.start()
            if host is self._hosts[0]:
                host.wait(host.watches, "leads")
        for host in self._hosts[1:]:
            host.wait(host.follows, "follows")
        self._show_roles()

    def _steal(self) -> None:
        self._story.step(f"A thief copies the session of role {s.STOLEN_ROLE} off an instance")
        self._stolen = self._scene.session(s.STOLEN_ROLE)
        self._probe(allowed=True)

    def _die(self) -> None:
        leader = self._leader()
        self._story.step(f"{leader.name} dies between the intent and the change")
        self._emulator.fault(
            name=PUT, match={"operation": PUT}, when="before", action={"hang": True}, times=1
        )
        finding = self._scene.report_theft(self._stolen)
        self._story.item(f"GuardDuty reports it: finding {finding[:8]}…")
        if not self._emulator.fault_reached(PUT, 30):
            raise Unexpected(f"expected: {leader.name} calls iam:{PUT}")
        self._items = len(self._emulator.items(TABLE))
        self._story.item(f"the intent is in the log, as one of {self._items} items of the table")
        self._story.item(f"iam:{PUT} is on its way, and the emulator holds it")
        leader.kill()
        self._killed = time.monotonic()
        leader.lose_disk()
        self._dead = leader
        self._story.item(f"kill -9; and {leader.name}'s disk is lost as well")
        self._emulator.release_fault(PUT)
        self._story.part("The call is gone with its caller, so that the thief goes on:")
        self._probe(allowed=True)

    def _take_over(self) -> None:
        self._story.step("Another host takes over, and makes the change")
        leader = self._leader()
        led = time.monotonic() - self._killed
        wait(lambda: self._puts() == 1, f"one iam:{PUT}")
        done = time.monotonic() - self._killed
        self._story.rows(
            [
                [f"{led:.1f} s", f"after the kill {leader.name} leads: the lease of 5 s had run out"],
                [f"{done:.1f} s", "after the kill the change is made, from the intent in the log"],
            ]
        )
        self._story.part("The thief tries again, with the same credentials:")
        self._probe(allowed=False)

    def _come_back(self) -> None:
        self._story.step(f"{self._dead.name} comes back, with an empty disk")
        self._dead.start()
        self._dead.wait(self._dead.follows, "follows")
        host = self._leader()
        self._show_roles()
        wait(lambda: self._remediation(host)["state"] == "revoked", "the remediation is proved")
        remediations = host.json_lines("list")
        self._story.check(len(remediations) == 1, "there is one remediation, and it is revoked", str(remediations))
        self._story.check(self._puts() == 1, f"one iam:{PUT} in the whole organization", str(self._puts()))

    def _compare(self) -> None:
        self._story.step("Compare the three ledgers with the log")
        for host in self._hosts:
            host.stop()
        self._story.command(self._hosts[0].rescind.command("ledger", "verify"))
        rows, roots = [["HOST", "ENTRIES", "NOT YET READ", "DIFFERS", "ROOT OF THE LOG"]], set()
        for host in self._hosts:
            [verified] = host.json_lines("ledger", "verify")
            log = verified["log"]
            if log["differs"] or log["broken"]:
                raise Unexpected(f"expected: {host.name} has what the log has\nfound:    {log}")
            roots.add(log["root"])
            read = str(log["entries"] - log["unread"])
            rows.append([host.name, read, str(log["unread"]), "nowhere", log["root"][:24] + "…"])
        self._story.rows(rows)
        self._story.check(len(roots) == 1, "three ledgers and the log have one root", ", ".join(roots))

    # --- what the steps are made of

    def _leader(self) -> Host:
        """The one that leads, once there is one."""
        alive = [host for host in self._hosts if host.is_alive()]
        wait(lambda: [host.role() for host in alive].count("leader") == 1, "one host leads")
        return next(host for host in alive if host.role() == "leader")

    def _show_roles(self) -> None:
        self._story.rows([[host.name, host.role()] for host in self._hosts])

    def _remediation(self, host: Host) -> Mapping:
        return next(iter(host.json_lines("list")), {"state": "not there"})

    def _puts(self) -> int:
        return sum(call["operation"] == PUT and call["status"] == 200 for call in self._emulator.calls())

    def _probe(self, allowed: bool) -> None:
        for outcome in probe(self._emulator, self._stolen):
            self._story.call(outcome.call, outcome.allowed, not allowed, outcome.answer)
            denied = not outcome.allowed and EXPLICIT_DENY in outcome.answer
            if not (outcome.allowed if allowed else denied):
                wanted = "allowed" if allowed else "refused with an explicit deny"
                raise Unexpected(f"expected: {outcome.call} is {wanted}\nfound:    {outcome.answer}")
