"""Each promise of docs/SEMANTICS.md names tests, and these are there."""
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources():
    """The text of each file, by the names of its module: tests/it/events.rs is ("events",)."""
    found = {}
    for folder in (ROOT / "src", ROOT / "tests" / "it"):
        for file in folder.rglob("*.rs"):
            names = file.relative_to(folder).with_suffix("").parts
            names = names[:-1] if names[-1] == "mod" else names
            found[names] = found.get(names, "") + file.read_text(encoding="utf-8")
    return found


def is_there(path, files):
    *modules, name = path.split("::")
    modules = tuple(modules)
    for names, text in files.items():
        if names[: len(modules)] == modules or modules[: len(names)] == names:
            start = name.rstrip("…")
            end = "" if name.endswith("…") else r"\b"
            if re.search(rf"\b(fn|mod) {re.escape(start)}{end}", text) or names == (*modules, name):
                return True
    return False


class Promises(unittest.TestCase):
    def test_each_test_that_is_named_is_there(self):
        files = sources()
        text = (ROOT / "docs" / "SEMANTICS.md").read_text(encoding="utf-8")
        named = {name for name in re.findall(r"`([a-z_0-9:…]+)`", text) if "::" in name}
        self.assertGreater(len(named), 20)
        self.assertEqual([], sorted(name for name in named if not is_there(name, files)))


if __name__ == "__main__":
    unittest.main()
