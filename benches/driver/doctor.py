"""`rescind doctor` over organizations of many accounts, at 50 ms a call and the default limits."""

from home import Home
from stand import Stand


def measure(tools, sizes, say):
    rows = []
    for accounts in sizes:
        say(f"doctor over {accounts} accounts")
        with Stand(tools.stand, 50, accounts) as stand:
            with Home(tools.binary) as home:
                # The stub's roles trust everybody, so doctor has something to say: code 5 or 0.
                ran = home.rescind(stand.url, "doctor", codes=(0, 5))
            calls = sum(one["count"] for one in stand.operations().values())
        rows.append(
            {
                "accounts": accounts,
                "took_s": ran["took"],
                "cpu_s": ran["user"] + ran["system"],
                "calls": calls,
                "peak_mib": ran["peak"],
            }
        )
    return rows
