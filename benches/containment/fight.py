"""One fight: the thief, the defender, and for how long the thief's own calls work after the first put."""

import tempfile
import time
from datetime import datetime
from pathlib import Path

import world as setting
from adversary import Adversary
from defenders import DEFENDERS, PUTS
from demo.isolated import EmulatedOrganization

# The thief looks twice a second.
EVERY = 0.5
# Credentials of the stolen principal; the others are of what the thief made.
VICTIMS = {"victim", "juggled"}
HELD = {"iam": {"victim", "juggled", "made-role", "made-user"}, "none": {"victim"}}
# Longest time until the defender acts, and the thief has made what it makes.
PATIENCE = 120


class Lost(Exception):
    """The fight did not come about."""


def fight(binary, plan):
    """`plan`: way, thief, seal, quarantine, delay, seed, horizon. Gives it with what was measured."""
    with tempfile.TemporaryDirectory(prefix="rescind-bench-") as name:
        directory = Path(name)
        with EmulatedOrganization(directory) as emulated:
            return _Fight(setting.World(emulated, Path(binary), directory, plan), plan).fought()


class _Fight:
    def __init__(self, world, plan):
        self.world, self.plan = world, plan
        self.defender = DEFENDERS[plan["way"]](world)
        self.lines = []
        self.adversary = Adversary(
            world.endpoint,
            world.session,
            setting.SHOP,
            setting.REGION,
            seed=plan["seed"],
            skill=plan["thief"],
            log=self.lines.append,
        )
        # When a round ended, by the emulator's clock, and which credentials worked in it.
        self.rounds = []

    def fought(self):
        self._settle()
        # From now on: what the thief made before counts already.
        self.world.emulator.switch(iam_spread_seconds=self.plan["delay"])
        self.lines.clear()
        with self.defender:
            self._round()
            self._before = self.world.emulator.calls()[-1]["n"]
            self.defender.act()
            put = self._until_put()
            while self.rounds[-1][0] < put + self.plan["horizon"]:
                self._round()
            state = self.world.listed()["state"] if self.plan["way"] == "rescind" else None
        self.adversary.close()
        return {**self.plan, "state": state, **self._measured(put)}

    def _settle(self):
        """Until the thief has all that it makes."""
        for _ in range(20):
            works = self._round()
            if works >= HELD[self.plan["thief"]]:
                return
        raise Lost(f"the thief has only {sorted(works)}")

    def _until_put(self):
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            puts = self._puts()
            if puts:
                return _seconds(puts[0]["at"])
            self._round()
        raise Lost("nobody put anything")

    def _round(self):
        begun = time.monotonic()
        answers = self.adversary.tick()["credentials"]
        works = {name for name, answer in answers.items() if answer == "works"}
        self.rounds.append((_seconds(self.world.emulator.get("clock")["now"]), works))
        left = begun + EVERY - time.monotonic()
        if left > 0 and self.defender.is_in_real_time:
            time.sleep(left)
        elif left > 0:
            self.world.emulator.advance_clock(left)
        return works

    def _measured(self, put):
        """Until the next round it is as the last one saw it."""
        end = put + self.plan["horizon"]
        stretches = []
        for (at, works), (until, _) in zip(self.rounds, self.rounds[1:]):
            begin, until = max(at, put), min(until, end)
            if begin < until:
                stretches.append((begin - put, until - put, bool(works & VICTIMS), bool(works)))
        ats = [at for at, _ in self.rounds if put < at]
        gaps = sorted(b - a for a, b in zip(ats, ats[1:]))
        return {
            "victim_s": sum(to - since for since, to, victim, _ in stretches if victim),
            "any_s": sum(to - since for since, to, _, any_ in stretches if any_),
            "victim_until_s": max((to for _, to, victim, _ in stretches if victim), default=0.0),
            "any_until_s": max((to for _, to, _, any_ in stretches if any_), default=0.0),
            "victim_spans": _joined((since, to) for since, to, victim, _ in stretches if victim),
            "any_spans": _joined((since, to) for since, to, _, any_ in stretches if any_),
            "removed": sum(line["event"] == "removed" for line in self.lines),
            "puts": len(self._puts()),
            "round_s": gaps[len(gaps) // 2] if gaps else 0.0,
            "longest_round_s": gaps[-1] if gaps else 0.0,
        }

    def _puts(self):
        """The defender's accepted calls that took rights away."""
        calls = [call for call in self.world.emulator.calls(self._before) if call["operation"] in PUTS]
        return [call for call in calls if self.defender.by in (call["principal"] or "") and call["status"] == 200]


def _seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _joined(spans):
    joined = []
    for since, to in spans:
        if joined and since - joined[-1][1] < 1e-6:
            joined[-1][1] = round(to, 3)
        else:
            joined.append([round(since, 3), round(to, 3)])
    return joined
