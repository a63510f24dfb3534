"""Line charts as SVG. Both axes are logarithmic: what doubles is as far apart everywhere."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 360, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 34, 44
# Lines differ by their dashes and marks: there is one colour, that of the text.
DASHES = ("", "6 3", "2 3", "8 3 2 3")

STYLE = """svg { color: #1f2328; font: 12px sans-serif }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }
text { fill: currentColor }
line, path { stroke: currentColor; fill: none }
.grid { stroke-opacity: .2 }
.mark { fill: currentColor }
.open { fill: none; stroke: currentColor }"""


def write(path, title, panels):
    """`panels`: a title, the name of the x axis, and lines: name, then pairs of x and y."""
    width = WIDTH * len(panels)
    rows = max(len(lines) for _, _, lines in panels)
    height = HEIGHT + 18 * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc">',
        f"<title id=\"title\">{escape(title)}</title>",
        f"<desc id=\"desc\">{escape(_in_words(panels))}</desc>",
        f"<style>{STYLE}</style>",
    ]
    for number, panel in enumerate(panels):
        parts.append(f'<g transform="translate({number * WIDTH} 0)">{_panel(*panel)}</g>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n</svg>\n")


def _in_words(panels):
    """The same in words."""
    sentences = []
    for title, x_name, lines in panels:
        for name, points in lines:
            pairs = ", ".join(f"{_number(y)} at {_number(x)}" for x, y in points)
            sentences.append(f"{title}, {name}, by {x_name}: {pairs}.")
    return " ".join(sentences)


def _panel(title, x_name, lines):
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points]
    low_x, high_x = _decades(xs)
    low_y, high_y = _decades(ys)
    across = lambda x: LEFT + (math.log10(x) - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)
    down = lambda y: HEIGHT - BOTTOM - (math.log10(y) - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM)
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [f'<text x="{LEFT}" y="18" font-weight="bold">{escape(title)}</text>']
    for power in range(low_x, high_x + 1):
        x = across(10**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_number(10**power)}</text>')
    for power in range(low_y, high_y + 1):
        y = down(10**power)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(10**power)}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">{escape(x_name)}</text>')
    for number, (name, points) in enumerate(lines):
        places = [(across(x), down(y)) for x, y in points]
        parts.append(_line(number, places))
        y = HEIGHT + 18 * number + 6
        parts.append(_line(number, [(LEFT, y), (LEFT + 28, y)]))
        parts.append(f'<text x="{LEFT + 36}" y="{y + 4}">{escape(name)}</text>')
    return "".join(parts)


def _line(number, places):
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dashes = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
    kind = "mark" if number % 2 == 0 else "open"
    marks = "".join(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    return f'<path d="M{steps}"{dashes}/>{marks}'


def _decades(values):
    """The powers of ten around the values: at least one decade."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _number(value):
    """Short, as on an axis."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
