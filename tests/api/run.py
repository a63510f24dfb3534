"""Checks the API of a running service against its own document, and sends nonsense to every route. `make api-test`.

    run.py RESCIND PYTHON

RESCIND is the binary, PYTHON that of the emulated organization. Schemathesis asks three times at once: as an operator, as
somebody who may see one account, and as nobody. Each operation of the document must have succeeded for the operator.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import requests

import fuzz
import known
from program import Program

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Maximum growth of the service's memory while it is sent nonsense, in KiB.
GROWTH = 200 * 1024
# What somebody who may see one account gets.
VIEWED = {"whoami", "remediations", "remediation", "decisions", "finding", "incidents", "incident", "alerts", "coverage",
          "report", "events"}


# Who asks, and how much: what the document forbids is tried by the one who may do everything.
PASSES = {
    "operator": ["--max-examples", "10"],
    "viewer": ["--max-examples", "15", "--phases", "examples,fuzzing"],
    known.ANONYMOUS: ["--max-examples", "5", "--phases", "examples,fuzzing"],
}


class Scene:
    """The service, and the organization that it watches. It ends with its standard input."""

    def __init__(self, rescind: str, python: str) -> None:
        command = [python, str(HERE / "organization.py"), rescind]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the scene did not begin: see above")
        return json.loads(line)

    def __exit__(self, *error) -> None:
        self.process.stdin.close()
        if self.process.wait(60) != 0 and error[0] is None:
            sys.exit("the scene did not end well: see above")


def passes(there: dict, folder: Path) -> dict:
    """Asks as each of them, and gives the calls of each."""
    scene, document = folder / "scene.json", folder / "openapi.json"
    scene.write_text(json.dumps(there))
    running = {}
    for number, (caller, how) in enumerate(PASSES.items()):
        environment = {
            **os.environ,
            # No proxy sees what is asked.
            "NO_PROXY": "*",
            "no_proxy": "*",
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SCHEMATHESIS_HOOKS": "hooks",
            "RESCIND_API_SCENE": str(scene),
            "RESCIND_API_CALLER": caller,
            "RESCIND_API_CALLS": str(folder / f"{caller}.jsonl"),
            "RESCIND_API_NETWORK": str(30 * number),
        }
        command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml")]
        command += ["run", str(document), "--url", there["url"], "--no-color", *how]
        output = (folder / f"{caller}.log").open("w")
        running[caller] = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    failed = [caller for caller, process in running.items() if process.wait() != 0]
    for caller in failed:
        print(f"--- schemathesis as {caller}\n{(folder / f'{caller}.log').read_text()}", flush=True)
    assert not failed, f"the API is not as its document says: {', '.join(failed)}"
    return {caller: [json.loads(line) for line in (folder / f"{caller}.jsonl").open()] for caller in running}


def reached(calls: dict, operations: set) -> None:
    """Nothing was hollow: each operation was answered, and refused, as those who asked may expect."""
    done = {
        caller: {call["operation"] for call in all if 200 <= call["status"] < 300} for caller, all in calls.items()
    }
    assert done["operator"] == operations, f"never done: {sorted(operations - done['operator'])}"
    # The entry of a proof may be of their account.
    assert VIEWED <= done["viewer"] <= VIEWED | {"proof"}, f"{sorted(done['viewer'] ^ VIEWED)}"
    assert not done[known.ANONYMOUS], f"{sorted(done[known.ANONYMOUS])}"
    for caller, all in calls.items():
        seen = Counter((call["status"], call["code"]) for call in all)
        print(f"{caller}: {len(all)} requests; " + ", ".join(f"{code or status} {n}" for (status, code), n in seen.most_common()))
        assert not [code for _, code in seen if code == "too_many_requests" or str(code).startswith("proof_")], seen
    codes = {caller: {call["code"] for call in all} for caller, all in calls.items()}
    assert {"invalid", "unauthenticated", "not_found", "conflict", "method_not_allowed", "not_json"} <= codes["operator"]
    assert {"forbidden", "not_found"} <= codes["viewer"]
    tried = {call["operation"] for call in calls[known.ANONYMOUS] if call["code"] == "unauthenticated"}
    assert tried == operations, f"nobody asked without an identity: {sorted(operations - tried)}"


def nonsense(there: dict) -> None:
    """Sends nonsense, and looks whether the service is as well as before."""
    before = memory(there)
    found = fuzz.run(there)
    print("nonsense: " + ", ".join(f"{status}: {n}" for status, n in sorted(found.statuses.items())))
    for why in found.wrong[:20]:
        print(f"  {why}")
    assert not found.wrong, f"{len(found.wrong)} answers to nonsense are wrong"
    assert not found.unread, "\n".join(["what is well formed was not read:", *found.unread[:5]])
    shown = {path for path, methods in fuzz.routes().items() if "GET" in methods and "{" not in path} - fuzz.NEVER
    assert shown <= found.reached, f"never answered: {sorted(shown - found.reached)}"
    grown = memory(there) - before
    assert grown < GROWTH, f"the service took {grown} KiB more"


def memory(there: dict) -> int:
    """The memory of the service, in KiB; 0 where the system does not say."""
    status = Path(f"/proc/{there['service']}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def main() -> None:
    session = requests.Session()
    session.trust_env = False
    begun = time.monotonic()
    with Scene(*sys.argv[1:]) as there, tempfile.TemporaryDirectory() as folder:
        operator, proxied = Program(there, "operator"), {"X-Forwarded-For": "198.19.0.1"}
        served = session.get(there["url"] + "/v1/openapi.json", headers=proxied).json()
        kept = json.loads((ROOT / "docs/schema/openapi.json").read_text())
        assert served == kept, "docs/schema/openapi.json is not what the service gives: see CONTRIBUTING.md"
        (Path(folder) / "openapi.json").write_text(json.dumps(served))
        operations = {one["operationId"] for item in served["paths"].values() for one in item.values()}
        reached(passes(there, Path(folder)), operations)
        nonsense(there)
        status = session.get(there["url"] + "/v1/status", auth=operator, headers=proxied)
        assert status.status_code == 200, status.text
        log = Path(there["log"]).read_text()
        assert "panicked" not in log, log[-4000:]
        leaked = [secret for secret in known.secrets(there) if secret in log]
        assert not leaked, "a secret is in the log"
    print(f"the API is as its document says ({len(operations)} operations, {time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
