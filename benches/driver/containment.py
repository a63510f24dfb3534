"""How long a thief has a working credential: `benches/containment`, in the emulated organization's Python."""

import json
import subprocess

from process import Failed
from tools import ROOT

FIGHTS = ROOT / "benches" / "containment"


def measure(tools, delays, say):
    say("how long a thief has a working credential")
    words = ["--binary", tools.binary, "--delays", ",".join(map(str, delays))]
    command = [tools.emulator_python(), str(FIGHTS), *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failed(f"containment: exit {done.returncode}, see above")
    return sorted(map(json.loads, done.stdout.splitlines()), key=lambda one: json.dumps(one, sort_keys=True))
