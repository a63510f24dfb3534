"""A directory with a configuration and a ledger of rescind."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import process

CONFIGURATION = """mode = "enforce"
listen = "{listen}"
regions = {regions}
concurrency = {concurrency}
{more}
[budget]
account_per_hour = 1000000
organization_per_hour = 1000000
roles_percent = 100

[member]
external_id = "0123456789abcdef"
"""


def environment(url):
    """What a client of the stub needs, and nothing of ours."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Home:
    """It is removed at the end of `with`."""

    def __init__(self, binary, concurrency=32, more="", regions=("eu-central-1", "us-east-1"), listen=""):
        self.binary = binary
        own = {"concurrency": concurrency, "more": more, "regions": json.dumps(regions), "listen": listen}
        self.text = CONFIGURATION.format(**own)

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="rescind-bench-")
        with open(self.file("rescind.toml"), "w", encoding="utf-8") as file:
            file.write(self.text)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def rescind(self, url, *words, out=None, codes=(0,)):
        return process.run([self.binary, *words], self.path, environment(url), out, codes)

    def handle(self, stand, first, count=1):
        """Has thefts in so many accounts handled. Gives the process's measures and the stub's."""
        stand.thefts(self.file("findings.jsonl"), first, count)
        stand.reset()
        measured = self.rescind(stand.url, "handle", "findings.jsonl")
        calls = stand.operations()
        denied = calls.get("PutRolePolicy", {}).get("count", 0)
        if denied != count:
            raise process.Failed(f"{denied} of {count} roles were denied")
        return measured, calls

    def ledger_size(self):
        """In bytes, with what is not in the main file yet."""
        names = (name for name in os.listdir(self.path) if name.startswith("ledger.db"))
        return sum(os.path.getsize(self.file(name)) for name in names)

    def entries(self):
        """How many the ledger has."""
        with contextlib.closing(sqlite3.connect(self.file("ledger.db"))) as connection:
            return connection.execute("SELECT max(seq) FROM entries").fetchone()[0]

    def service(self, url):
        return subprocess.Popen(
            [self.binary, "run"],
            cwd=self.path,
            env=environment(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def stop(service):
    service.send_signal(signal.SIGINT)
    return service.wait()


# What the calls of a finding begin with: its account's tags, or where they are known, the way in.
FIRST_OF_FINDING = ("ListTagsForResource", "AssumeRole")


def moments(measured, calls, deny="PutRolePolicy"):
    """Seconds from the process's start to what matters."""
    at = lambda name, end: calls[name][end] / 1e6 - measured["began"]
    own = [at(name, "first") for name in FIRST_OF_FINDING if name in calls]
    return {
        "first_call": min(at(name, "first") for name in calls),
        "finding": min(own, default=None),
        "enter": at("AssumeRole", "first") if "AssumeRole" in calls else None,
        "denied": at(deny, "last"),
        "ended": measured["took"],
    }
