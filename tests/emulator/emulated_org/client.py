"""A client of the control interface, and boto3 sessions that only reach the emulator.

Importing this module removes all AWS settings from the process's environment.
"""
import json
from functools import lru_cache
from typing import Mapping, Optional
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from .isolation import require_loopback, use_no_real_credentials

use_no_real_credentials()

TIMEOUT_SECONDS = 60


class EmulatorError(Exception):
    """The control interface refused a request."""


class Emulator:
    """The control interface at `endpoint`, which has to be on the loopback interface."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = require_loopback(endpoint).rstrip("/")
        # No proxy from the environment may see these requests.
        self._opener = build_opener(ProxyHandler({}))

    def get(self, path: str) -> dict:
        return self._send("GET", path)

    def post(self, path: str, body: Optional[Mapping] = None) -> dict:
        return self._send("POST", path, dict(body or {}))

    def delete(self, path: str) -> dict:
        return self._send("DELETE", path)

    def organization(self, **fields) -> dict:
        return self.post("organization", fields)

    def role(self, **fields) -> dict:
        return self.post("roles", fields)

    def user(self, **fields) -> dict:
        return self.post("users", fields)

    def instance(self, **fields) -> str:
        return self.post("instances", fields)["instance_id"]

    def root_key(self, account: str) -> dict:
        return self.post("root-keys", {"account": account})

    def session(self, **fields) -> dict:
        return self.post("sessions", fields)

    def findings(self, **fields) -> dict:
        return self.post("findings", fields)

    def exfiltration(self, **fields) -> dict:
        return self.post("findings/exfiltration", fields)

    def attack_sequence(self, **fields) -> dict:
        return self.post("findings/attack-sequence", fields)

    def queue(self, **fields) -> dict:
        return self.post("queues", fields)

    def queue_state(self, name: str) -> dict:
        return self.get(f"queues?name={quote(name)}")

    def message(self, queue: str, body, **fields) -> str:
        return self.post("messages", {"queue": queue, "body": body, **fields})["message_id"]

    def event(self, **fields) -> dict:
        return self.post("events", fields)

    def topic(self, **fields) -> str:
        return self.post("topics", fields)["arn"]

    def published(self, topic: str) -> list:
        return self.get(f"topics?name={quote(topic)}")["messages"]

    def table(self, **fields) -> str:
        return self.post("tables", fields)["arn"]

    def signing_key(self, **fields) -> str:
        return self.post("signing-keys", fields)["arn"]

    def items(self, table: str) -> list:
        return self.get(f"tables?name={quote(table)}")["items"]

    def change_items(self, table: str, **fields) -> dict:
        return self.post("tables/items", {"table": table, **fields})

    def bucket(self, **fields) -> str:
        return self.post("buckets", fields)["arn"]

    def objects(self, bucket: str) -> list:
        return self.get(f"buckets?name={quote(bucket)}")["objects"]

    def change_objects(self, bucket: str, **fields) -> dict:
        return self.post("buckets/objects", {"bucket": bucket, **fields})

    def bus(self, **fields) -> str:
        return self.post("buses", fields)["arn"]

    def bus_events(self, name: str = "default", **wanted) -> list:
        return self.get(f"buses?{urlencode({'name': name, **wanted})}")["events"]

    def enable_security_hub(self, account: str, region: str) -> None:
        self.post("security-hub", {"account": account, "region": region})

    def imported_findings(self, account: str, region: str) -> list:
        return self.get(f"security-hub?account={account}&region={region}")["findings"]

    def security_hub_updates(self, account: str, region: str) -> dict:
        return self.get(f"security-hub?account={account}&region={region}")["updates"]

    def webhook(self, name: str, *answers) -> str:
        """The webhook's URL. `answers` are for the next requests, in order."""
        return self.endpoint + self.post("webhooks", {"name": name, "answers": list(answers)})["path"]

    def posted(self, webhook: str) -> list:
        return self.get(f"webhooks?name={quote(webhook)}")["requests"]

    def calls(self, since: int = 0) -> list:
        return self.get(f"calls?since={since}")["calls"]

    def fault(self, **fields) -> dict:
        return self.post("faults", fields)

    def fault_reached(self, name: str, timeout: float = 20) -> bool:
        return self.get(f"faults/{quote(name)}/reached?timeout={timeout}")["reached"]

    def release_fault(self, name: str) -> None:
        self.delete(f"faults/{quote(name)}")

    def advance_clock(self, seconds: float) -> dict:
        return self.post("clock", {"advance_seconds": seconds})

    def cloudtrail(self, **settings) -> dict:
        return self.post("cloudtrail", settings)

    def cloudtrail_records(self, account: str, region: str, *records: Mapping) -> list:
        """The ids of the records, of a repeated one the first event's."""
        request = {"account": account, "region": region, "records": list(records)}
        return self.post("cloudtrail/records", request)["event_ids"]

    def delay_cloudtrail(self, seconds: float) -> dict:
        return self.cloudtrail(delay_seconds=seconds)

    def switch(self, **switches) -> dict:
        return self.post("switches", switches)

    def reset(self) -> None:
        self.post("reset")

    def boto3(self, credentials: Mapping, service: str, region: str = "us-east-1"):
        """A boto3 client for `service` with the access key of `credentials`.

        `credentials` is any object of the control interface that has one.
        """
        return self.client(boto3_session(credentials, region), service)

    def client(self, session, service: str, timeout: float = TIMEOUT_SECONDS):
        """One of a session's clients, which sign with what the session's credentials are when they call."""
        from botocore.config import Config

        config = Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=timeout)
        return session.client(service, endpoint_url=self.endpoint, config=config)

    def _send(self, method: str, path: str, body: Optional[dict] = None) -> dict:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.endpoint}/emulator/{path}", data=data, headers=headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except HTTPError as error:
            with error:
                detail = error.read().decode("utf-8", "replace")
            raise EmulatorError(f"{method} {path}: {error.code} {detail}") from None


def boto3_session(credentials: Mapping, region: str):
    import boto3

    return boto3.Session(
        botocore_session=_botocore_session(),
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
        aws_session_token=credentials.get("session_token"),
        region_name=region,
    )


@lru_cache(maxsize=None)
def _service_models():
    from botocore.loaders import create_loader

    return create_loader()


def _botocore_session():
    """A session of its own that shares the service models, which take long to load."""
    import botocore.session

    session = botocore.session.get_session()
    session.register_component("data_loader", _service_models())
    return session
