"""How time and memory grow: with the organization, with the ledger, with the opt-outs."""

import contextlib
import datetime
import os
import sqlite3
import subprocess

from home import Home, moments
from process import median
from stand import Stand

# Figures of single runs are noise.
RUNS = 5


def organization(tools, sizes, say):
    rows = []
    for accounts in sizes:
        say(f"an organization of {accounts} accounts")
        with Stand(tools.stand, 0, accounts) as stand, Home(tools.binary) as home:
            measured, calls = home.handle(stand, 0)
            new = moments(measured, calls)
            rows.append(
                {
                    "accounts": accounts,
                    "pages": calls["ListAccounts"]["count"],
                    "read_s": new["finding"] - new["first_call"],
                    "read_peak_mib": measured["peak"],
                    **_again(home, stand),
                }
            )
    return rows


def ledger(tools, sizes, say):
    rows = []
    for entries in sizes:
        say(f"a ledger of {entries} entries")
        with Home(tools.binary) as home, Stand(tools.stand, 0, RUNS + 1) as stand:
            command = [tools.ledger, "make", str(entries), home.file("ledger.db")]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            long_ago(home.file("ledger.db"))
            size = home.ledger_size()
            measured, calls = home.handle(stand, 0)
            first = moments(measured, calls)
            again = _again(home, stand)
            verify = home.rescind(stand.url, "ledger", "verify")
            rows.append(
                {
                    "entries": entries,
                    "mib": size / 2**20,
                    "first_start_s": first["first_call"],
                    "verify_s": verify["took"],
                    "verify_peak_mib": verify["peak"],
                    **again,
                }
            )
    return rows


def long_ago(path):
    """What was begun was begun yesterday: budgets look at the last hour, and so many in one are nobody's."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE remediations SET begun_at = strftime('%Y-%m-%dT%H:%M:%fZ', begun_at, '-1 day')")


def opt_outs(tools, sizes, say):
    rows = []
    for count in sizes:
        say(f"{count} opt-outs")
        with Home(tools.binary) as home, Stand(tools.stand, 0, RUNS + 1) as stand:
            _write_opt_outs(home.file("opt-outs.toml"), count)
            home.handle(stand, 0)
            size = os.path.getsize(home.file("opt-outs.toml"))
            rows.append({"opt_outs": count, "mib": size / 2**20, **_again(home, stand)})
    return rows


def _write_opt_outs(path, count):
    """Of accounts that have no findings: each is to be looked at, and none applies."""
    expires = datetime.date.today() + datetime.timedelta(days=100)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            file.write(
                f'[[opt_out]]\nname = "team-{number}"\naccounts = ["{300_000_000_000 + number}"]\n'
                f'roles = ["batch-*"]\nmode = "observe"\nowner = "team {number}"\n'
                f'reason = "the jobs cannot be restarted"\nexpires = {expires}\n\n'
            )


def _again(home, stand):
    """A finding in a process of its own, with all that was read before: medians."""
    runs = []
    for account in range(1, RUNS + 1):
        measured, calls = home.handle(stand, account)
        runs.append({**moments(measured, calls), **measured})
    of = lambda what: median([what(run) for run in runs])
    return {
        "start_s": of(lambda run: run["first_call"]),
        "deny_s": of(lambda run: run["denied"]),
        "finding_s": of(lambda run: run["denied"] - run["finding"]),
        "cpu_s": of(lambda run: run["user"] + run["system"]),
        "peak_mib": of(lambda run: run["peak"]),
    }
