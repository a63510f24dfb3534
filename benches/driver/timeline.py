"""When a thief's credentials worked after the first put, as SVG: one bar for each fight at one delay."""

from xml.sax.saxutils import escape

from plot import STYLE

WIDTH, LEFT, RIGHT = 720, 216, 24
ROW, BAR, HEAD, FOOT = 24, 12, 52, 26
DELAY = 4
TICK = 30
# Of what each bar is: its name, then the fight.
BARS = (
    ("rescind, quarantine and seal", {"way": "rescind", "quarantine": True, "seal": True}),
    ("rescind, quarantine, no seal", {"way": "rescind", "quarantine": True, "seal": False}),
    ("rescind, no quarantine, seal", {"way": "rescind", "quarantine": False, "seal": True}),
    ("rescind, neither", {"way": "rescind", "quarantine": False, "seal": False}),
    ("inline deny, written once", {"way": "inline", "seal": False}),
    ("managed deny, attached once", {"way": "managed", "seal": False}),
)
PANELS = (("iam", "A thief who may change IAM"), ("none", "A thief who may not"))
LEGEND = (("bar", "a credential of the stolen role works"), ("faint", "only what the thief made elsewhere works"))
OWN_STYLE = ".bar { fill: currentColor }\n.faint { fill: currentColor; fill-opacity: .3 }"


def write(path, fights):
    delays = {fight["delay"] for fight in fights}
    delay = DELAY if DELAY in delays else max(delays)
    fights = [fight for fight in fights if fight["delay"] == delay]
    horizon = max(fight["horizon"] for fight in fights)
    panels = []
    for thief, title in PANELS:
        rows = [(name, found) for name, wanted in BARS if (found := _one(fights, {**wanted, "thief": thief}))]
        if rows:
            panels.append((title, rows))
    height = sum(HEAD + ROW * len(rows) + FOOT for _, rows in panels) + 2 * ROW
    title = f"Seconds after the first put in which the thief's calls work; IAM enforces a change after {delay} s"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(_in_words(panels))}</desc>',
        f"<style>{STYLE}\n{OWN_STYLE}</style>",
    ]
    top = 0
    for name, rows in panels:
        parts.append(f'<g transform="translate(0 {top})">{_panel(name, rows, horizon)}</g>')
        top += HEAD + ROW * len(rows) + FOOT
    parts.append(f'<g transform="translate(0 {top})">{_legend()}</g>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n</svg>\n")


def _one(fights, wanted):
    return next((fight for fight in fights if wanted.items() <= fight.items()), None)


def _in_words(panels):
    sentences = []
    for title, rows in panels:
        for name, fight in rows:
            sentences.append(
                f"{title}; {name}: a credential of the role works for {fight['victim_s']:.0f} of "
                f"{fight['horizon']} s, any credential for {fight['any_s']:.0f} s."
            )
    return " ".join(sentences)


def _panel(title, rows, horizon):
    across = lambda second: LEFT + second / horizon * (WIDTH - LEFT - RIGHT)
    bottom = HEAD + ROW * len(rows)
    parts = [f'<text x="0" y="26" font-weight="bold">{escape(title)}</text>']
    for second in range(0, horizon + 1, TICK):
        x = across(second)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{HEAD - 6}" x2="{x:.1f}" y2="{bottom}"/>')
        label = f"{second} s" if second else "first put"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    for number, (name, fight) in enumerate(rows):
        y = HEAD + ROW * number
        parts.append(f'<text x="0" y="{y + BAR}">{escape(name)}</text>')
        for kind, spans in (("faint", fight["any_spans"]), ("bar", fight["victim_spans"])):
            for since, to in spans:
                width = max(across(to) - across(since), 0.5)
                parts.append(f'<rect class="{kind}" x="{across(since):.1f}" y="{y}" width="{width:.1f}" height="{BAR}"/>')
    return "".join(parts)


def _legend():
    parts = []
    for number, (kind, text) in enumerate(LEGEND):
        y = ROW * number + 4
        parts.append(f'<rect class="{kind}" x="0" y="{y}" width="28" height="{BAR}"/>')
        parts.append(f'<text x="36" y="{y + BAR - 1}">{escape(text)}</text>')
    return "".join(parts)
