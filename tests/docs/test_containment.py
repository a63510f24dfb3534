"""The tables and the picture of docs/containment.md are those of the fights that were measured."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benches" / "driver"))

import table  # noqa: E402
import timeline  # noqa: E402

CHARTS = ROOT / "docs" / "performance"


class Containment(unittest.TestCase):
    def setUp(self):
        self.fights = json.loads((CHARTS / "containment.json").read_text(encoding="utf-8"))

    def test_the_tables_are_what_was_measured(self):
        text = (ROOT / "docs" / "containment.md").read_text(encoding="utf-8")
        self.assertIn(table.write({"containment": self.fights}), text)

    def test_the_picture_is_what_was_measured(self):
        with tempfile.NamedTemporaryFile("r", suffix=".svg", encoding="utf-8") as file:
            timeline.write(file.name, self.fights)
            self.assertEqual(file.read(), (CHARTS / "containment.svg").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
