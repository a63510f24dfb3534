"""The demo: a theft, and how rescind takes the session back."""
import json
from datetime import datetime
from pathlib import Path
from typing import List, Mapping

from emulated_org.times import parse_time

from . import scene as s
from .isolated import EmulatedOrganization, Rescind, from_root
from .probe import EXPLICIT_DENY, identity, probe
from .scene import Scene
from .story import Story, Unexpected

EXPECTED_DECISIONS = ["account_not_active", "not_a_role", "sample", "stolen_role_session"]


def play(story: Story, rescind: Rescind, directory: Path) -> None:
    with EmulatedOrganization(directory) as organization:
        job = MainJob(story, rescind, directory, organization)
        job.play()
    job.close()


class MainJob:
    def __init__(self, story: Story, rescind: Rescind, directory: Path, organization: EmulatedOrganization) -> None:
        self._story = story
        self._rescind = rescind
        self._config = directory / "rescind.toml"
        self._endpoint = organization.endpoint
        self._emulator = organization.emulator

    def play(self) -> None:
        self._story.title("rescind: a stolen role session, taken back")
        self._story.say(
            "Real: the binary, its HTTP calls, its ledger, its policies. Emulated: AWS, at "
            f"{self._endpoint}, where IAM policies decide on every call. The real AWS cannot be reached from here."
        )
        self._configure()
        self._build()
        self._watch()
        self._steal()
        self._report()
        self._plan()
        self._revoke()
        self._see_thief_denied()
        self._see_others_work()
        self._run_again()
        self._show_times()

    def _configure(self) -> None:
        self._story.step("Write the configuration")
        regions = " ".join(f"--region {region}" for region in s.REGIONS)
        self._story.command(self._rescind.command("init", regions))
        self._story.output(s.write_config(self._rescind, self._config))
        self._story.say('The demo now sets mode = "enforce" in that file: from here on rescind may revoke.')

    def _build(self) -> None:
        self._story.step("Build the organization")
        self._scene = Scene(self._emulator, self._rescind, self._config)
        self._rescind.use(self._endpoint, self._scene.hub, s.REGIONS[0])
        self._story.rows(
            [
                ["management", s.MANAGEMENT, "owns the organization; rescind has no role here"],
                ["security", s.SECURITY, "GuardDuty's delegated administrator; rescind runs here"],
                ["shop", s.SHOP, f"OU Production; EC2 roles {s.STOLEN_ROLE} and {s.OTHER_ROLE}"],
                ["payments", s.PAYMENTS, "OU Production"],
                ["sandbox", s.SANDBOX, "OU Development"],
                ["legacy", s.LEGACY, "OU Development; SUSPENDED"],
            ]
        )
        self._story.say(
            f"GuardDuty watches {' and '.join(s.REGIONS)}. rescind's roles have exactly the policies in policies/, "
            "and the external id that init made up."
        )

    def _watch(self) -> None:
        self._story.step("Let rescind begin to watch")
        self._run("run", "--once")
        self._story.say("What is there at the first poll is only observed: a new installation does not act on a backlog.")

    def _steal(self) -> None:
        self._story.step(f"A thief copies the session of role {s.STOLEN_ROLE} off an instance")
        self._stolen = self._scene.session(s.STOLEN_ROLE)
        self._instance = self._scene.session(s.OTHER_ROLE)
        self._probe(self._stolen, allowed=True, good=False)
        self._story.ok("the thief reads the shop's tables, buckets and users")

    def _report(self) -> None:
        self._story.step("GuardDuty reports it")
        self._finding = self._scene.report_theft(self._stolen)
        self._scene.report_what_to_leave_alone()
        self._story.item(f"{s.THEFT_REGION}: {s.STOLEN_ROLE}'s credentials in use outside AWS (the theft)")
        self._story.item(f"{s.OTHER_REGION}: a sample finding, as somebody tries out the alarms")
        self._story.item(f"{s.OTHER_REGION}: one that names the IAM user alice: a long-term key, not a role's session")
        self._story.item(f"{s.OTHER_REGION}: the same kind of theft in the suspended account legacy")

    def _plan(self) -> None:
        self._story.step("Ask rescind what it would do")
        before = self._scene.last_call()
        self._run("plan")
        self._expect_changes(before, [], "nothing was changed in any account")
        self._story.part("So the thief goes on:")
        self._probe(self._stolen, allowed=True, good=False)

    def _revoke(self) -> None:
        self._story.step("Let rescind act")
        before = self._scene.last_call()
        self._run("run", "--once")
        self._story.part(
            '"proof: simulated" means: after the change, IAM\'s own simulator denied an old session of the role '
            "and did not deny a new one."
        )
        self._expect_changes(before, ["iam:PutRolePolicy"], "one call changed something, in the whole organization")
        decisions = self._json("list", "--decisions")
        codes = sorted(decision["code"] for decision in decisions)
        self._story.check(
            codes == EXPECTED_DECISIONS, "one finding acted on, three left alone with a reason", ", ".join(codes)
        )
        self._seen_at = next(d["seen"] for d in decisions if d["finding"] == self._finding)
        remediations = self._json("list")
        self._story.check(len(remediations) == 1, "one remediation is in the ledger", str(remediations))
        self._id = remediations[0]["remediation"]
        [self._remediation] = self._json("show", self._id)

    def _see_thief_denied(self) -> None:
        self._story.step("The thief tries again, with the same credentials")
        self._probe(self._stolen, allowed=False, good=True)
        arn = identity(self._emulator, self._stolen)
        self._story.call("sts:GetCallerIdentity", True, True, arn.rpartition(":")[2])
        self._story.say(
            "GetCallerIdentity proves nothing: it needs no permission, and answers whoever holds a key. "
            "The three refusals count."
        )
        self._story.check(s.STOLEN_ROLE in arn, "the stolen session still has its name, and no rights", arn)

    def _see_others_work(self) -> None:
        self._story.step("Everybody else goes on working")
        self._story.say(f"Another role of the same account, with the session it had all along ({s.OTHER_ROLE}):")
        self._probe(self._instance, allowed=True, good=True)
        ahead = (self._time("cutoff") - self._now()).total_seconds()
        self._story.part(
            f"A fresh session of {s.STOLEN_ROLE}, too early. The cutoff lies {max(ahead, 0):.0f} s ahead, so that no "
            "session slips through while the policy spreads: what is issued before it is denied as well."
        )
        too_early = self._scene.session(s.STOLEN_ROLE)
        self._probe(too_early, allowed=False, good=True)
        self._story.part("On AWS you would wait now. The demo moves the emulator's clock past the cutoff instead.")
        self._emulator.advance_clock(max(ahead, 0) + 2)
        self._story.say(f"A fresh session of {s.STOLEN_ROLE}, as the instance gets it next:")
        fresh = self._scene.session(s.STOLEN_ROLE)
        self._probe(fresh, allowed=True, good=True)
        self._story.part("And the thief, after that jump:")
        self._probe(self._stolen, allowed=False, good=True)
        self._story.ok("the instance works with a fresh session; the stolen one stays denied")

    def _run_again(self) -> None:
        self._story.step("Run rescind once more")
        before = self._scene.last_call()
        self._run("run", "--once")
        self._expect_changes(before, [], "the second run changed nothing: the ledger knows these findings")
        self._story.check(len(self._json("list")) == 1, "there is still one remediation")

    def _show_times(self) -> None:
        self._story.step("What happened when")
        start = parse_time(self._remediation["finding"]["updated_at"])
        rows = [["AFTER", "WHAT"], ["0.000 s", "finding: GuardDuty's last sight of the thief"]]
        rows.append([_after(start, self._seen_at), "seen: rescind reads it, and records it"])
        texts = {
            "decision": "decision: revoke",
            "intent": "intent: the change is in the ledger, before it is made",
            "accepted": "accepted: AWS took the policy; the thief is denied from here on",
            "proof": "proof: IAM's simulator denies an old session and allows a new one",
        }
        for entry in self._remediation["entries"]:
            if entry["kind"] in texts:
                rows.append([_after(start, entry["time"]), texts.pop(entry["kind"])])
        self._story.rows(rows)
        self._check_proof()
        self._story.check(not texts, "the ledger has every step", f"no entry for {', '.join(texts)}")
        seconds = self._remediation["remediation"]["seconds_to_deny"]
        reading = (parse_time(self._seen_at) - start).total_seconds()
        self._story.say(
            f"From finding to deny: {seconds:.3f} s. Of these, {reading:.3f} s went by before rescind read the "
            "finding (the demo was showing you the plan; a running rescind polls every minute), and "
            f"{seconds - reading:.3f} s were rescind's work."
        )
        self._story.say(
            "These are the latencies of an emulation on this machine: on AWS an accepted policy takes some seconds "
            "more to spread, and GuardDuty some minutes to report."
        )

    def close(self) -> None:
        self._story.heading("Done: the thief is out, and every step above was checked.")
        self._story.say(
            f"The emulated organization has ended. {from_root(self._config)} and the ledger beside it stay; these "
            "work without it:"
        )
        for arguments in (["list"], ["list", "--decisions"], ["show", self._id]):
            self._rescind.run(*arguments, aws=False)
            self._story.plain(f"     {self._rescind.command(*arguments)}")

    # --- what the steps are made of

    def _run(self, *arguments: str) -> None:
        self._story.command(self._rescind.command(*arguments))
        self._story.output(self._rescind.run(*arguments))

    def _json(self, *arguments: str) -> List[dict]:
        printed = self._rescind.run(*arguments, "-o", "jsonl", aws=False)
        return [json.loads(line) for line in printed.splitlines()]

    def _probe(self, session: Mapping, allowed: bool, good: bool) -> None:
        for outcome in probe(self._emulator, session):
            self._story.call(outcome.call, outcome.allowed, good, outcome.answer)
            denied = not outcome.allowed and EXPLICIT_DENY in outcome.answer
            if not (outcome.allowed if allowed else denied):
                wanted = "allowed" if allowed else "refused with an explicit deny"
                raise Unexpected(f"expected: {outcome.call} is {wanted}\nfound:    {outcome.answer}")

    def _expect_changes(self, before: int, expected: list, claim: str) -> None:
        changes = self._scene.changes_since(before)
        self._story.check(changes == expected, claim, ", ".join(changes) or "no change")

    def _check_proof(self) -> None:
        remediation = self._remediation["remediation"]
        proof = remediation["proof_detail"]
        stands = (remediation["state"], remediation["proof"])
        self._story.check(stands == ("revoked", "simulated"), "it is called revoked, and says how far that is proved", " ".join(stands))
        found = (proof["rung"], proof["old_token"], proof["new_token"])
        self._story.check(found == ("simulated", "explicitDeny", "allowed"), "the proof is in the ledger", str(proof))

    def _time(self, name: str) -> datetime:
        return parse_time(self._remediation["remediation"][name])

    def _now(self) -> datetime:
        return parse_time(self._emulator.get("clock")["now"])


def _after(start: datetime, moment: str) -> str:
    return f"{(parse_time(moment) - start).total_seconds():.3f} s"
