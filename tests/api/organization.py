"""An emulated organization with thefts in progress, and a running service that programs may ask, for the tests of its API.

Prints one line of JSON: where the service answers, the programs that may ask it with their credentials, and the ids of
what there is. Ends when its standard input is closed. It is run with the Python of the emulated organization.
"""
import json
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/emulator"), str(ROOT / "tests/console")]

import world  # noqa: E402
from demo import scene as s  # noqa: E402
from demo.isolated import EmulatedOrganization, Rescind, forget_proxies  # noqa: E402
from demo.scene import Scene  # noqa: E402
from demo.story import Unexpected  # noqa: E402
from openid_provider.people import DEFAULT  # noqa: E402
from openid_provider.server import serving  # noqa: E402

# The address that people and programs know; a proxy answers there, which says for whom it asks.
HUB = "https://rescind.example.com"
HELD = [f"held-{number}" for number in range(8)]
REVOKED = ["revoked-0", "revoked-1"]
ELSEWHERE = "sandbox-batch"
# Nobody but a person can do anything about this one.
LINKED = "AWSServiceRoleForSupport"
PROGRAMS = {"operator": "Soar", "viewer": "Dashboard", "stranger": "Stranger"}
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}

WEB = f"""
[web]
url = "{HUB}"
trusted_proxies = ["127.0.0.1/32"]
[web.oidc]
issuer = "{{issuer}}"
client_id = "rescind"
[[web.access]]
role = "operator"
arns = ["arn:aws:iam::{s.SECURITY}:role/{PROGRAMS['operator']}"]
[[web.access]]
role = "viewer"
arns = ["arn:aws:iam::{s.SECURITY}:role/{PROGRAMS['viewer']}"]
accounts = ["{s.SANDBOX}"]
[[web.access]]
role = "operator"
groups = ["{DEFAULT.group}"]
"""

OPT_OUTS = f"""
[[opt_out]]
name = "api"
mode = "approve"
owner = "team-orders"
reason = "Somebody is asked about these."
roles = {json.dumps([*HELD, ELSEWHERE, s.OTHER_ROLE])}
expires = {{expires}}
"""


def configure(config: Path, issuer: str) -> None:
    text = config.read_text() + WEB.format(issuer=issuer)
    for pattern, value in [
        (r"(?m)^listen = .*$", 'listen = "127.0.0.1:0"'),
        (r"(?m)^#?poll_interval = .*$", 'poll_interval = "5s"'),
        (r"(?m)^roles_percent = .*$", "roles_percent = 100"),
    ]:
        text, replaced = re.subn(pattern, value, text)
        if replaced != 1:
            raise SystemExit(f"{config} has not one line like {pattern}")
    config.write_text(text)
    expires = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
    (config.parent / "opt-outs.toml").write_text(OPT_OUTS.format(expires=expires))


def steal(scene: Scene) -> None:
    """A thief who makes two doors; sessions that somebody is asked about, and two that are revoked at once."""
    world.steal(scene)
    for account, role in [*((s.SHOP, role) for role in [*HELD, *REVOKED]), (s.SANDBOX, ELSEWHERE)]:
        scene.emulator.role(account=account, name=role, policy=s.WORKLOAD_POLICY)
        session = scene.emulator.session(account=account, role=role)
        scene._exfiltration(s.THEFT_REGION, account, role, session)
    key = {
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "principalId": "AROAEXAMPLEEXAMPLE02:x1",
        "userName": LINKED,
        "userType": "AssumedRole",
    }
    finding = {
        "accountId": s.SHOP,
        "type": s.FINDING_TYPE,
        "title": "A role that only its service can change was used from outside.",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": key},
    }
    scene.emulator.findings(account=s.SECURITY, region=s.THEFT_REGION, findings=[finding])


def settled(rescind: Rescind) -> dict:
    """What there is, as soon as everything was decided and done and the thief's doors were found."""
    wanted = {**dict.fromkeys([*HELD, ELSEWHERE, LINKED, s.OTHER_ROLE], "held")}
    wanted.update(dict.fromkeys([*REVOKED, world.THIEF], "revoked"))
    state, opened, alerts = {}, [], []
    for _ in range(300):
        try:
            state = {item["principal"]: item for item in world.documents(rescind, "list")}
            incidents = world.documents(rescind, "incident", "list")
            alerts = world.documents(rescind, "alerts")
        except Unexpected:
            # There is no ledger yet.
            incidents = []
        opened = [one["incident"] for one in incidents if one["doors"] >= 2]
        is_done = all(state.get(name, {}).get("state") == wanted[name] for name in wanted)
        if is_done and opened and alerts:
            break
        time.sleep(0.3)
    else:
        raise SystemExit(f"the scene did not settle: {json.dumps([opened, alerts, state])[:4000]}")
    # What stands in the ledger until now has proofs, and what comes later has none yet.
    rescind.run("ledger", "checkpoint")
    [whole] = world.documents(rescind, "incident", "show", opened[0])
    return {
        "remediations": {name: state[name]["remediation"] for name in sorted(state)},
        "findings": {name: state[name]["finding"] for name in sorted(state)},
        "incidents": ["i-" + state[name]["remediation"].removeprefix("r-") for name in sorted(state)],
        "opened": opened[0],
        "doors": [door["door"] for door in whole["doors"]],
        "alerts": [one["alert"] for one in alerts],
    }


def main() -> None:
    forget_proxies()
    binary = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        config, log = directory / "rescind.toml", directory / "service.log"
        with EmulatedOrganization(directory) as organization, serving(HUB) as issuer:
            rescind = Rescind(binary, config)
            s.write_config(rescind, config)
            configure(config, issuer)
            scene = Scene(organization.emulator, rescind, config)
            programs = {}
            for name, role in PROGRAMS.items():
                scene.emulator.role(account=s.SECURITY, name=role, policy=NOTHING)
                programs[name] = scene.emulator.session(account=s.SECURITY, role=role)
            steal(scene)
            rescind.use(organization.endpoint, scene.hub, s.REGIONS[0])
            with log.open("w") as output:
                service = rescind.start(output, "run", "--backlog")
            try:
                there = {
                    "url": world.address(log),
                    "hub": HUB,
                    "sts": organization.endpoint,
                    "region": s.THEFT_REGION,
                    "programs": programs,
                    "accounts": {"shop": s.SHOP, "sandbox": s.SANDBOX},
                    "issuer": issuer,
                    "log": str(log),
                    "external_id": s.external_id(config),
                    "service": service.pid,
                    **settled(rescind),
                }
                print(json.dumps(there), flush=True)
                sys.stdin.read()
                if service.poll() is not None:
                    raise SystemExit(f"the service ended: {service.returncode}\n{log.read_text()[-4000:]}")
            except BaseException:
                sys.stderr.write(log.read_text()[-4000:])
                raise
            finally:
                service.terminate()
                service.wait(30)


if __name__ == "__main__":
    main()
