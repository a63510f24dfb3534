"""A service that has nothing to do."""

import time

import process
from home import Home, stop
from stand import Stand

SETTLING = 10


def measure(tools, seconds, say):
    rows = []
    for interval in ("60s", "5s"):
        say(f"an idle service that polls every {interval}, for {seconds} s")
        with Stand(tools.stand, 50, 10) as stand:
            with Home(tools.binary, more=f'poll_interval = "{interval}"') as home:
                rows.append({"poll_interval": interval, "seconds": seconds, **_watch(home, stand, seconds)})
    return rows


def _watch(home, stand, seconds):
    service = home.service(stand.url)
    try:
        time.sleep(SETTLING)
        stand.reset()
        before = process.cpu(service.pid)
        time.sleep(seconds)
        used = process.cpu(service.pid) - before
        calls = sum(one["count"] for one in stand.operations().values())
        memory = {name: process.memory(service.pid, name) for name in ("VmRSS", "VmHWM")}
    finally:
        code = stop(service)
    assert code == 0, f"the service ended with {code}"
    return {
        "cpu_s": used,
        "of_a_core": used / seconds,
        "calls": calls,
        "rss_mib": memory["VmRSS"],
        "peak_mib": memory["VmHWM"],
    }
