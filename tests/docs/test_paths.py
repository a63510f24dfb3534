"""Every file that the documentation names is there: a walk through the code must lead somewhere."""
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


if __name__ == "__main__":
    unittest.main()
