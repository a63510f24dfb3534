"""The figures as Markdown, for docs/performance.md."""


def write(found):
    parts = []
    for name, write_part in PARTS.items():
        if found.get(name):
            parts.append(write_part(found[name]))
    return "\n\n".join(parts) + "\n"


def _table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _ms(spread):
    return f"{spread['median'] * 1000:.0f} ms ({spread['least'] * 1000:.0f} to {spread['most'] * 1000:.0f})"


def _seconds(spread):
    return f"{spread['median']:.1f} s ({spread['least']:.1f} to {spread['most']:.1f})"


def _count(number):
    return f"{number:,}"


def _deny(rows):
    heads = ["from, to the deny", "a call takes", "rescind", "rescind, new ledger", "baseline", "baseline, entering"]
    spans = {
        "the start of the process": "whole",
        "the first call": "after_start",
        "the first call about the finding": "finding",
        "AssumeRole": "remedy",
    }
    ways = ("rescind", "rescind, new ledger", "baseline", "baseline, entering")
    lines = []
    for row in rows:
        for name, key in spans.items():
            cells = [_ms(row[way][key]) if key in row[way] else "" for way in ways]
            lines.append([name, f"{row['latency_ms']} ms", *cells])
        lines.append(["(bare client, three calls)", f"{row['latency_ms']} ms", _ms(row["bound"]), "", "", ""])
    starts = [_ms(rows[0][way]["start"]) for way in ways]
    lines.append(["(from the start to the first call)", f"{rows[0]['latency_ms']} ms", *starts])
    return _table(heads, lines)


def _containment(fights):
    """Two tables of the same shape: of the stolen role's own credentials, and of all that the thief holds."""
    victim = _fights(fights, "victim_s")
    any_ = _fights(fights, "any_s")
    return f"Of the stolen role:\n\n{victim}\n\nAny at all:\n\n{any_}"


WAYS = {"rescind": "rescind", "inline": "inline deny, written once", "managed": "managed deny, attached once"}
THIEVES = {"iam": "may change IAM", "none": "may not"}


def _fights(fights, seconds):
    delays = sorted({fight["delay"] for fight in fights})
    heads = ["against the thief", "quarantine", "seal"]
    heads += [f"{name}, {delay} s" for name in THIEVES.values() for delay in delays]
    lines = []
    for way, name in WAYS.items():
        for quarantine in (True, False):
            for seal in (True, False):
                kind = {"way": way, "quarantine": quarantine, "seal": seal}
                mine = {(one["thief"], one["delay"]): one for one in fights if kind.items() <= one.items()}
                if not mine:
                    continue
                cells = [_fought(mine.get((thief, delay)), seconds) for thief in THIEVES for delay in delays]
                lines.append([name, _yes(quarantine) if way == "rescind" else "", _yes(seal), *cells])
    return _table(heads, lines)


def _yes(is_so):
    return "yes" if is_so else "no"


def _fought(fight, seconds):
    if not fight:
        return ""
    whole = fight["horizon"]
    # What misses less than a round is all of it.
    if fight[seconds] > whole - 1:
        return f"all {whole} s"
    return f"{fight[seconds]:.1f} s"


def _quarantine(found):
    heads = ["a call takes", "quarantine", "AssumeRole to the deny", "of the bound", "to the quarantine", "bound"]
    lines = [
        [
            f"{row['latency_ms']} ms",
            row["quarantine"],
            _ms(row["remedy"]),
            f"{row['remedy']['median'] / row['bound']['median']:.2f}",
            _ms(row["quarantine_s"]) if "quarantine_s" in row else "",
            _ms(row["bound"]),
        ]
        for row in found["deny"]
    ]
    looks = found["looks"]
    more = ["", "event to the deny", "AssumeRole to the deny", "denies"]
    beside = [
        [name, _ms(looks[key]["event"]), _ms(looks[key]["remedy"]), str(looks[key]["event"]["runs"])]
        for name, key in (("idle", "idle"), (f"beside the looks at {_count(looks['revoked'])} revoked roles", "busy"))
    ]
    ratio = lambda name: looks["busy"][name]["median"] / looks["idle"][name]["median"]
    beside.append(["ratio of the medians", f"{ratio('event'):.2f}", f"{ratio('remedy'):.2f}", ""])
    text = (
        f"At {looks['latency_ms']} ms a call. In the {looks['seconds']} s after the last put there were "
        f"{_count(looks['looks'])} looks, of {_count(looks['looks_due'])} that fall due in the minute after each put."
    )
    return f"{_table(heads, lines)}\n\n{_table(more, beside)}\n\n{text}"


def _pursuit(found):
    long, beside = found["long"], found["beside"]
    heads = ["one stolen key", "read in", "peak", "CPU", "ledger"]
    cells = lambda prefix: [
        f"{long[prefix + 'peak_mib']:.0f} MiB",
        f"{long[prefix + 'cpu_s']:.1f} s",
        f"{long[prefix + 'ledger_bytes'] / 2**20:.1f} MiB",
    ]
    one = [
        [f"{_count(long['events'])} events, {_count(long['pages'])} pages", f"{long['read_s']:.0f} s", *cells("")],
        ["no events", "", *cells("idle_")],
        ["CloudTrail's pace, all regions at once", f"{long['pace_s']:.1f} s", "", "", ""],
        ["CloudTrail's pace, one region after the other", f"{long['in_turn_s']:.1f} s", "", "", ""],
    ]
    more = ["", "event to the deny", "AssumeRole to the deny", "denies", "pages a second", "rescind's cores",
            "stub's cores", "peak"]
    rows = [
        [
            name,
            _ms(one["event"]),
            _ms(one["remedy"]),
            str(one["event"]["runs"]),
            f"{one['pages_per_second']:.0f}",
            f"{one['cpu_cores']:.2f}",
            f"{one['stub_cpu_cores']:.2f}",
            f"{one['peak_mib']:.0f} MiB",
        ]
        for name, one in (
            (f"{beside['keys']} keys are read", beside["on"]),
            ('`pursue = "off"`', beside["off"]),
        )
    ]
    rows.append(["ratio of the medians", *[_ratios(beside, name) for name in ("event", "remedy")], *[""] * 5])
    chain = found["chain"]
    opened = [
        ["one", _seconds(chain["alone_s"]), str(chain["alone_s"]["runs"])],
        [f"{chain['keys']} at once", _seconds(chain["at_once_s"]), str(chain["at_once_s"]["runs"])],
    ]
    last = _table(["stolen sessions", "from their deny to that of the session each had opened", "denies"], opened)
    text = (
        f"At {beside['latency_ms']} ms a call. Of each of {beside['keys']} keys {beside['pages_each']} pages in each "
        f"region. Throttled calls: {long['throttled'] + beside['on']['throttled']}."
    )
    return f"{_table(heads, one)}\n\n{_table(more, rows)}\n\n{last}\n\n{text}"


def _ratios(beside, name):
    """Of all denies; and of each round, the least and the most."""
    ratio = lambda on, off: on[name]["median"] / off[name]["median"]
    rounds = [ratio(on, off) for on, off in zip(beside["on"]["medians"], beside["off"]["medians"])]
    return f"{ratio(beside['on'], beside['off']):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def _throughput(rows):
    heads = ["findings", "at once", "rescind", "bound", "in theory", "of the bound", "from the first AssumeRole",
             "all proved", "CPU each", "cores", "stub's cores", "peak"]
    lines = [
        [
            _count(row["findings"]),
            str(row["width"]),
            f"{row['denied']:.2f} s",
            f"{row['bound']:.2f} s",
            f"{row['theory']:.2f} s",
            f"{row['bound'] / row['denied']:.0%}",
            f"{row['bound'] / row['denied_since_first_entry']:.0%}",
            f"{row['proved']:.2f} s",
            f"{row['cpu_ms_each']:.1f} ms",
            f"{row['cpu_cores']:.2f}",
            f"{row['stub_cpu_cores']:.2f}",
            f"{row['peak_mib']:.0f} MiB",
        ]
        for row in rows
    ]
    largest = max(rows, key=lambda row: row["findings"])
    return _table(heads, lines) + "\n\n" + _calls(largest)


def _calls(row):
    heads = ["operation", "calls", "for each finding", "bytes of a request", "bytes of an answer"]
    lines = [
        [
            name,
            _count(one["count"]),
            f"{one['count'] / row['findings']:.2f}",
            f"{one['received'] / one['count']:.0f}",
            f"{one['sent'] / one['count']:.0f}",
        ]
        for name, one in sorted(row["calls"].items(), key=lambda item: item[1]["first"])
    ]
    total = sum(one["received"] + one["sent"] for one in row["calls"].values()) / row["findings"]
    ledger = row["ledger_bytes"] / row["findings"] / 1024
    more = f"Of {_count(row['findings'])} findings. For each {total / 1024:.1f} KiB on the wire, {ledger:.1f} KiB in the ledger."
    return _table(heads, lines) + "\n\n" + more


def _baselines(rows):
    heads = ["findings", "threads", "baseline", "bound", "of the bound", "CPU each", "peak"]
    lines = [
        [
            _count(row["findings"]),
            str(row["threads"]),
            f"{row['denied']:.2f} s",
            f"{row['bound']:.2f} s",
            f"{row['bound'] / row['denied']:.0%}",
            f"{row['cpu_ms_each']:.1f} ms",
            f"{row['peak_mib']:.0f} MiB",
        ]
        for row in rows
    ]
    return _table(heads, lines)


def _idle(rows):
    heads = ["polls every", "seconds", "CPU", "of a core", "calls", "resident", "peak"]
    lines = [
        [
            row["poll_interval"],
            str(row["seconds"]),
            f"{row['cpu_s']:.3f} s",
            f"{row['of_a_core']:.2%}",
            str(row["calls"]),
            f"{row['rss_mib']:.0f} MiB",
            f"{row['peak_mib']:.0f} MiB",
        ]
        for row in rows
    ]
    return _table(heads, lines)


def _doctor(rows):
    heads = ["accounts", "calls", "took", "CPU", "peak"]
    lines = [
        [
            _count(row["accounts"]),
            _count(row["calls"]),
            f"{row['took_s']:.1f} s",
            f"{row['cpu_s']:.1f} s",
            f"{row['peak_mib']:.0f} MiB",
        ]
        for row in rows
    ]
    return _table(heads, lines)


def _log(found):
    put = found["put_ms"]
    lines = []
    for row in found["deny"]:
        target = 1.15 * (row["bound"]["median"] - row["puts_bound"]["median"]) + row["puts_bound"]["median"]
        puts = row["puts"]
        lines.append(
            [
                f"{row['latency_ms']} ms",
                *(_ms(row[log][span]) for log in ("local", "table") for span in ("event", "remedy")),
                _ms(row["more_s"]),
                f"{puts['before_the_deny']['median']:.0f}, {puts['from_assume_role']['median']:.0f}",
                _ms(row["bound"]),
                f"{row['table']['remedy']['median'] / target:.2f}",
            ]
        )
    heads = ["a call takes", "local: event to the deny", "AssumeRole to the deny", "table: event to the deny",
             "AssumeRole to the deny", "the table takes longer by", "puts, from AssumeRole",
             "bound: three calls and three puts", "of 1.15 calls and the puts"]
    deny = _table(heads, lines)
    burst = found["throughput"]
    heads = ["log", "denies", "a second", "of local", "of the bound", "all proved", "entries a second", "puts",
             "entries a put", "write units a deny", "CPU each", "peak"]
    local = burst["local"]
    lines = [
        [
            name,
            _count(burst["findings"]),
            f"{row['denies_a_second']:.0f}",
            f"{row['denies_a_second'] / local['denies_a_second']:.0%}",
            f"{row['bound'] / row['denied']:.0%}",
            f"{row['proved']:.2f} s",
            f"{row['entries_a_second']:,.0f}",
            f"{row['puts']:,.0f}",
            f"{row['entries'] / row['puts']:.1f}" if row["puts"] else "",
            f"{row['units'] / burst['findings']:.1f}",
            f"{row['cpu_ms_each']:.1f} ms",
            f"{row['peak_mib']:.0f} MiB",
        ]
        for name, row in ((name, burst[name]) for name in ("local", "table"))
    ]
    many = _table(heads, lines)
    heads = ["the leader is", "another leads", "what was stolen then is denied", "times"]
    lines = [
        [name, _seconds(row["leads"]), _seconds(row["denied"]), str(row["leads"]["runs"])]
        for name, row in found["takeover"].items()
    ]
    over = _table(heads, lines)
    heads = ["log", "entries", "items", "read by a new host", "entries a second", "CPU", "peak",
             "`rebuild --from-log`, compared too"]
    lines = [
        [
            name,
            _count(row["entries"]),
            _count(row["items"]),
            _seconds(row["took"]),
            f"{row['entries_a_second']:,.0f}",
            _seconds(row["cpu"]),
            f"{row['peak_mib']:.0f} MiB",
            _seconds(row["rebuild"]),
        ]
        for name, row in found["replay"].items()
    ]
    idle = found["idle"]
    quiet = (
        f"An idle leader made {idle['puts']} puts of {idle['units']} write units for {idle['polls']} polls in "
        f"{idle['seconds']} s, and {idle['renewals']} renewals of its lease."
    )
    return "\n\n".join((f"A put takes {put} ms.", quiet, deny, many, over, _table(heads, lines)))


def _web(found):
    milliseconds = lambda seconds: f"{seconds * 1000:.0f} ms"
    lines = [
        [name, f"{row['bytes'] / 1024:.0f} KiB", *(milliseconds(row[key]) for key in ("median", "p95", "most"))]
        for name, row in found["reads"].items()
    ]
    reads = _table(["read", "answer", "median", "95 of 100", "longest"], lines)
    pages = found["pages"]
    none, some = "0", str(pages["count"])
    lines = [
        [
            name,
            f"{share[none]:.2%}",
            f"{share[some]:.2%}",
            f"{share[some] - share[none]:.2%}",
            _count(share["loads"]),
            milliseconds(share["load_median"]),
            milliseconds(share["load_p95"]),
        ]
        for name, share in pages["share"].items()
    ]
    heads = ["", "no page", f"{some} pages", "the pages' share of a core", "loads", "median", "95 of 100"]
    opened = _table(heads, lines)
    beside = found["beside"]
    denies = beside["denies"]
    lines = [
        [name, _ms(denies[key]["event"]), _ms(denies[key]["remedy"]), str(denies[key]["event"]["runs"]),
         f"{beside['cores'][key]:.2f}"]
        for name, key in (("nobody reads", "quiet"), (f"{beside['per_second']} reads a second", "beside"))
    ]
    ratio = lambda name: _ratios({"on": denies["beside"], "off": denies["quiet"]}, name)
    lines.append(["ratio of the medians", ratio("event"), ratio("remedy"), "", ""])
    deny = _table(["", "event to the deny", "AssumeRole to the deny", "denies", "cores"], lines)
    statuses = ", ".join(f"{_count(count)} with {status}" for status, count in sorted(beside["statuses"].items()))
    text = (
        f"A ledger of {_count(found['entries'])} entries ({found['mib']:.0f} MiB) with {_count(found['remediations'])} "
        f"remediations. The first *Now* after the start took {milliseconds(found['first_s'])}. Most memory: "
        f"{found['peak_mib']:.0f} MiB."
    )
    more = (
        f"At {found['latency_ms']} ms a call. The reads beside the denies were answered in a median of "
        f"{milliseconds(beside['reads']['median'])}, 95 of 100 within {milliseconds(beside['reads']['p95'])}: {statuses}."
    )
    return "\n\n".join((text, reads, opened, deny, more))


def _growing(first, more):
    """`first` and `more`: heads, each with what makes its cell of a row."""
    columns = {
        **first,
        "to the first call": lambda row: f"{row['start_s'] * 1000:.0f} ms",
        "to the deny": lambda row: f"{row['deny_s'] * 1000:.0f} ms",
        "CPU": lambda row: f"{row['cpu_s'] * 1000:.0f} ms",
        "peak": lambda row: f"{row['peak_mib']:.0f} MiB",
        **more,
    }
    return lambda rows: _table(list(columns), [[cell(row) for cell in columns.values()] for row in rows])


PARTS = {
    "doctor": _doctor,
    "containment": _containment,
    "deny": _deny,
    "quarantine": _quarantine,
    "pursuit": _pursuit,
    "throughput": _throughput,
    "baselines": _baselines,
    "idle": _idle,
    "log": _log,
    "web": _web,
    "organization": _growing(
        {"accounts": lambda row: _count(row["accounts"])},
        {
            "to read the organization": lambda row: f"{row['read_s']:.2f} s, {row['pages']} pages",
            "peak while it is read": lambda row: f"{row['read_peak_mib']:.0f} MiB",
        },
    ),
    "ledger": _growing(
        {"entries": lambda row: _count(row["entries"]), "file": lambda row: f"{row['mib']:.0f} MiB"},
        {
            "verify": lambda row: f"{row['verify_s']:.2f} s, {row['verify_peak_mib']:.0f} MiB",
            "first start": lambda row: f"{row['first_start_s'] * 1000:.0f} ms",
        },
    ),
    "opt_outs": _growing(
        {"opt-outs": lambda row: _count(row["opt_outs"]), "file": lambda row: f"{row['mib']:.1f} MiB"}, {}
    ),
}
