"""Checks the links of the documentation.

    python3 tests/docs/check_links.py

Every relative link in README.md, CHANGELOG.md, CONTRIBUTING.md, SECURITY.md and docs/**/*.md leads to a file of the
repository, every anchor to a heading, and every page under docs/ is in docs/SUMMARY.md, once. Links to other
sites are not followed. Anchors are made as GitHub makes them; mdBook makes the same ones of these headings.
"""

import re
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
PAGES_AT_THE_TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# [text](target) and [text](<target> "title"); the text may have brackets once more in it.
INLINE = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*(<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(?:\s+[^)]*)?\)")
DEFINITION = re.compile(r"^\s{0,3}\[([^\]]+)\]:\s+(\S+)", re.MULTILINE)
HTML_TARGET = re.compile(r"""<(?:a|img)\b[^>]*?\b(?:href|src)\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
HTML_ANCHOR = re.compile(r"""<[a-z][^>]*?\b(?:id|name)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def without_code_blocks(text):
    """The lines of a page, those of fenced code empty, so that line numbers stay."""
    lines, fence = [], None
    for line in text.splitlines():
        found = FENCE.match(line)
        if fence is None and found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            lines.append("")
        elif fence is not None:
            closes = found and found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
            fence = None if closes else fence
            lines.append("")
        else:
            lines.append(line)
    return lines


def prose(text):
    """A page without code and comments, its lines where they were."""
    text = "\n".join(without_code_blocks(text))
    blank = lambda found: re.sub(r"[^\n]", " ", found[0])
    return CODE.sub(blank, COMMENT.sub(blank, text))


def anchor_of(heading):
    """The anchor that GitHub makes of a heading's text."""
    kept = []
    # What stands in code stays as it is; around it marks and links are shown, not written.
    for number, part in enumerate(re.split(r"`+([^`]*)`+", heading)):
        if number % 2 == 0:
            part = re.sub(r"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\([^)]*\)", r"\1", part)
            part = re.sub(r"<[^>]+>", "", part)
            part = re.sub(r"(?<![\w_])_(.+?)_(?![\w_])", r"\1", part)
            part = part.replace("*", "")
        kept.append(part)
    text = "".join(kept).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors_of(text):
    """Every anchor of a page. A heading that comes again gets a number."""
    seen, anchors = Counter(), set()
    for line in without_code_blocks(text):
        found = HEADING.match(line)
        if found:
            anchor = anchor_of(found[2])
            anchors.add(anchor if seen[anchor] == 0 else f"{anchor}-{seen[anchor]}")
            seen[anchor] += 1
    anchors.update(HTML_ANCHOR.findall(prose(text)))
    return anchors


def links_of(text):
    """Every link of a page: its line, and where it leads."""
    text = prose(text)
    for pattern, group in ((INLINE, 1), (DEFINITION, 2), (HTML_TARGET, 1)):
        for found in pattern.finditer(text):
            target = found[group].strip("<>")
            yield text.count("\n", 0, found.start(group)) + 1, target


def pages(root):
    """The pages that are checked."""
    at_the_top = [root / name for name in PAGES_AT_THE_TOP if (root / name).exists()]
    return at_the_top + sorted((root / "docs").rglob("*.md"))


def broken_links(root):
    """What is wrong, a line each."""
    wrong, anchors = [], {}
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        for line, target in links_of(text):
            if ELSEWHERE.match(target):
                continue
            path, _, anchor = target.partition("#")
            where = f"{page.relative_to(root)}:{line}: {target}"
            to = (page.parent / unquote(path)).resolve() if path else page
            if not to.is_relative_to(root):
                wrong.append(f"{where}: leads out of the repository")
            elif not to.exists():
                wrong.append(f"{where}: there is no such file")
            elif anchor and to.suffix == ".md":
                if to not in anchors:
                    anchors[to] = anchors_of(to.read_text(encoding="utf-8"))
                if unquote(anchor) not in anchors[to]:
                    wrong.append(f"{where}: there is no such heading")
    return wrong


def wrong_in_summary(root):
    """Pages that docs/SUMMARY.md does not have, or has twice, a line each."""
    docs = root / "docs"
    summary = docs / "SUMMARY.md"
    if not summary.exists():
        return ["docs/SUMMARY.md: there is no such file"]
    listed = Counter()
    for _, target in links_of(summary.read_text(encoding="utf-8")):
        path = unquote(target.partition("#")[0])
        if path and not ELSEWHERE.match(target):
            listed[(docs / path).resolve()] += 1
    there = {page.resolve() for page in docs.rglob("*.md")} - {summary.resolve()}
    name = lambda page: page.relative_to(root) if page.is_relative_to(root) else page
    wrong = [f"docs/SUMMARY.md: {name(page)} is not in it" for page in sorted(there - set(listed))]
    wrong += [f"docs/SUMMARY.md: {name(page)} is in it twice" for page, count in sorted(listed.items()) if count > 1]
    return wrong


class Documentation(unittest.TestCase):
    """The repository as it is."""

    def test_every_relative_link_leads_somewhere(self):
        wrong = broken_links(ROOT)
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_every_page_is_in_the_summary_once(self):
        wrong = wrong_in_summary(ROOT)
        self.assertFalse(wrong, "\n" + "\n".join(wrong))


class Checker(unittest.TestCase):
    """That the checker would see it."""

    def test_anchors_are_those_of_github(self):
        for heading, anchor in (
            ("The rungs of proof", "the-rungs-of-proof"),
            ("`IdP`: *what* it is, and isn't", "idp-what-it-is-and-isnt"),
            ("csv", "csv"),
            ("json and jsonl", "json-and-jsonl"),
            ("What rescind does not do (yet)", "what-rescind-does-not-do-yet"),
            ("3. Activity before the cutoff — covered", "3-activity-before-the-cutoff--covered"),
            ("`ledger_tampered` and _one_ more", "ledger_tampered-and-one-more"),
            ("See [the ledger](ledger.md#checking-it)", "see-the-ledger"),
            ("Größe, 大小", "größe-大小"),
        ):
            self.assertEqual(anchor_of(heading), anchor, heading)

    def test_a_heading_that_comes_again_gets_a_number_and_code_is_no_heading(self):
        text = "# One\n## One\n```\n# two\n```\n~~~~\n## three\n~~~\n## four\n~~~~\n### One ###\n<a id=\"here\"></a>\n"
        self.assertEqual(anchors_of(text), {"one", "one-1", "one-2", "here"})

    def test_links_in_code_and_comments_are_none(self):
        text = (
            "[a](a.md) `[b](b.md)` ![c](c.png \"see\")\n```\n[d](d.md)\n```\n<!-- [e](e.md) -->\n"
            "[f `x](y)` z](f.md#g) [h][i]\n\n[i]: i.md\n<a href='j.md'>j</a> [k](<k l.md>) [m](m_(n).md)\n"
        )
        found = sorted((target, line) for line, target in links_of(text))
        wanted = [("a.md", 1), ("c.png", 1), ("f.md#g", 6), ("i.md", 8), ("j.md", 9), ("k l.md", 9), ("m_(n).md", 9)]
        self.assertEqual(found, wanted)

    def test_each_fault_is_named(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name).resolve()
            (root / "docs" / "adr").mkdir(parents=True)
            write = lambda path, text: (root / path).write_text(text, encoding="utf-8")
            write("README.md", "[good](docs/a.md#a-b) [page](docs/none.md) [heading](docs/a.md#c)\n")
            write("docs/a.md", "# A b\n[up](../README.md) [here](#a-b) [not here](#b-a) [out](../../x) [web](https://x/#y)\n")
            write("docs/adr/1.md", "# 1\n")
            write("docs/SUMMARY.md", "- [a](a.md)\n- [a again](a.md)\n")
            self.assertEqual(
                broken_links(root),
                [
                    "README.md:1: docs/none.md: there is no such file",
                    "README.md:1: docs/a.md#c: there is no such heading",
                    "docs/a.md:2: #b-a: there is no such heading",
                    "docs/a.md:2: ../../x: leads out of the repository",
                ],
            )
            self.assertEqual(
                wrong_in_summary(root),
                ["docs/SUMMARY.md: docs/adr/1.md is not in it", "docs/SUMMARY.md: docs/a.md is in it twice"],
            )
            write("docs/SUMMARY.md", "- [a](a.md)\n- [one](adr/1.md)\n")
            self.assertEqual(wrong_in_summary(root), [])


if __name__ == "__main__":
    unittest.main()
