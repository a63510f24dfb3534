"""Every file that the documentation names is there, and every picture is shown: a walk through the code leads somewhere."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
# In code spans only; a name with a placeholder or a wildcard is no file.
NAMED = re.compile(r"`((?:src|tests|migrations|policies|benches)/[\w./-]*[\w/])`")


class Paths(unittest.TestCase):
    def test_each_file_that_is_named_is_there(self):
        missing, count = [], 0
        for page in PAGES:
            for path in NAMED.findall(page.read_text(encoding="utf-8")):
                count += 1
                if not (ROOT / path).exists():
                    missing.append(f"{page.relative_to(ROOT)}: {path}")
        self.assertGreater(count, 60)
        self.assertEqual([], missing)

    def test_each_picture_of_the_console_is_shown_and_small(self):
        shown = re.findall(r"^!\[.+\]\(console/(.+)\)$", (ROOT / "docs/console-pages.md").read_text(encoding="utf-8"), re.M)
        pictures = {file.name: file.stat().st_size for file in (ROOT / "docs/console").iterdir()}
        self.assertEqual(sorted(pictures), sorted(shown))
        self.assertLess(max(pictures.values()), 150_000)


if __name__ == "__main__":
    unittest.main()
