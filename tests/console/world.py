"""An emulated organization with two thefts, and a running service with its console, for the browser tests.

Prints one line of JSON with the console's address and the ids, and ends when its standard input is closed. A second
argument, JSON, has what people need who log in: the console's address, the OpenID issuer, and perhaps a webhook for
messages.
"""
import json
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/emulator"))

from botocore.exceptions import ClientError  # noqa: E402
from demo import scene as s  # noqa: E402
from demo.isolated import EmulatedOrganization, Rescind, forget_proxies  # noqa: E402
from demo.scene import Scene  # noqa: E402
from demo.story import Unexpected  # noqa: E402

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
THIEF = "shop-deploy"
PORTAL = "AWSReservedSSO_Administrator_0123456789abcdef"
OPT_OUTS = f"""
[[opt_out]]
name = "orders-migration"
mode = "approve"
owner = "team-orders"
reason = "The nightly migration runs with long sessions until it is rewritten."
roles = ["{s.OTHER_ROLE}"]
expires = EXPIRES
"""


PEOPLE = """
[web]
url = "{url}"
[web.oidc]
issuer = "{issuer}"
client_id = "rescind"
[[web.access]]
role = "viewer"
groups = ["viewers"]
[[web.access]]
role = "approver"
groups = ["approvers"]
[[web.access]]
role = "operator"
groups = ["operators"]
[[web.access]]
role = "viewer"
groups = ["shop"]
accounts = ["222222222222"]
"""
HOOK = """
[[notify]]
name = "hook"
webhook = "{webhook}"
"""


def configure(config: Path, people: dict) -> None:
    text = config.read_text() + (PEOPLE.format(**people) if people else "")
    text += HOOK.format(**people) if "webhook" in people else ""
    listen = people["url"].removeprefix("http://") if people else "127.0.0.1:0"
    for pattern, value in [
        (r'(?m)^listen = .*$', f'listen = "{listen}"'),
        (r'(?m)^#?poll_interval = .*$', 'poll_interval = "5s"'),
    ]:
        text, replaced = re.subn(pattern, value, text)
        if replaced != 1:
            raise SystemExit(f"{config} has not one line like {pattern}")
    config.write_text(text)
    expires = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 10 * 86400))
    opt_outs = config.parent / "opt-outs.toml"
    opt_outs.write_text(OPT_OUTS.replace("EXPIRES", expires))


def steal(scene: Scene) -> dict:
    """A thief with an administrator's role makes two doors, and another one holds an ordinary session."""
    emulator = scene.emulator
    emulator.role(account=s.SHOP, name=THIEF, policy=ADMIN)
    stolen = scene.session(THIEF)
    scene.take_away(stolen)
    iam = emulator.boto3(stolen, "iam", s.THEFT_REGION)
    iam.create_user(UserName="support-2")
    iam.create_access_key(UserName="support-2")
    scene._exfiltration(s.THEFT_REGION, s.SHOP, THIEF, stolen)
    other = scene.session(s.OTHER_ROLE)
    scene._exfiltration(s.THEFT_REGION, s.SHOP, s.OTHER_ROLE, other)
    scene.report_what_to_leave_alone()
    return other


def address(log: Path) -> str:
    for _ in range(600):
        found = re.search(r"127\.0\.0\.1:(\d{2,5})", log.read_text())
        if found and found.group(1) != "0":
            return f"http://127.0.0.1:{found.group(1)}"
        time.sleep(0.1)
    raise SystemExit(f"the service does not say where it answers:\n{log.read_text()}")


def is_denied(scene: Scene, stolen: dict) -> bool:
    """The thief's own call is the oracle: what the role may do, or what it may not do any more."""
    try:
        scene.emulator.boto3(stolen, "iam", s.THEFT_REGION).list_users()
    except ClientError as error:
        return "explicit deny" in str(error)
    return False


def documents(rescind: Rescind, *arguments: str) -> list:
    return [json.loads(line) for line in rescind.run(*arguments, "-o", "jsonl").splitlines()]


def settled(rescind: Rescind) -> dict:
    """Until one remediation is held, one is revoked, and CloudTrail was searched."""
    state = {}
    for _ in range(600):
        try:
            items, incidents = documents(rescind, "list"), documents(rescind, "incident", "list")
        except Unexpected:
            # There is no ledger yet.
            time.sleep(0.2)
            continue
        state = {item["principal"]: item for item in items}
        doors = {one["first"]: one["doors"] for one in incidents}
        is_done = state.get(THIEF, {}).get("state") == "revoked" and state.get(s.OTHER_ROLE, {}).get("state") == "held"
        if is_done and any(count >= 2 for count in doors.values()):
            return {"held": state[s.OTHER_ROLE]["remediation"], "revoked": state[THIEF]["remediation"]}
        time.sleep(0.2)
    raise SystemExit(f"the world did not settle: {json.dumps(state)[:2000]}")


def main() -> None:
    forget_proxies()
    binary = Path(sys.argv[1]).absolute()
    people = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        config, log = directory / "rescind.toml", directory / "service.log"
        with EmulatedOrganization(directory) as organization:
            rescind = Rescind(binary, config)
            s.write_config(rescind, config)
            configure(config, people)
            scene = Scene(organization.emulator, rescind, config)
            stolen = steal(scene)
            rescind.use(organization.endpoint, scene.hub, s.REGIONS[0])
            with log.open("w") as output:
                service = rescind.start(output, "run", "--backlog")
            try:
                url = address(log)
                world = settled(rescind)
                print(json.dumps({"url": url, "thief": THIEF, "other": s.OTHER_ROLE, **world}), flush=True)
                for line in sys.stdin:
                    # `steal`: one more theft, so that a page that is open has something new.
                    if line.strip() == "steal":
                        scene._exfiltration(s.THEFT_REGION, s.SHOP, s.STOLEN_ROLE, scene.session(s.STOLEN_ROLE))
                        print("{}", flush=True)
                    # `portal`: a session of Identity Center, which only a person can revoke.
                    if line.strip() == "portal":
                        session = {"principal_id": "AROAEXAMPLEEXAMPLE00:alice@example.com", "access_key_id": "ASIAIOSFODNN7PORTAL1"}
                        scene._exfiltration(s.THEFT_REGION, s.SHOP, PORTAL, session)
                        print("{}", flush=True)
                    # `log`: what the service has written to its log.
                    if line.strip() == "log":
                        print(json.dumps({"log": log.read_text()}), flush=True)
                    if line.strip() == "thief":
                        print(json.dumps({"denied": is_denied(scene, stolen)}), flush=True)
            except BaseException:
                sys.stderr.write(log.read_text()[-4000:])
                raise
            finally:
                service.terminate()
                service.wait(30)


if __name__ == "__main__":
    main()
