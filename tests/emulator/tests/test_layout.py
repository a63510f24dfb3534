"""Who may import whom: the floors that the package's docstring lists, and no circle anywhere."""
import ast
import unittest
from pathlib import Path
from typing import Dict, List, Set

import emulated_org

PACKAGE = Path(emulated_org.__file__).parent


def floors() -> List[List[str]]:
    """From the top: what stands in one line stands side by side."""
    indented = [line for line in emulated_org.__doc__.splitlines() if line.startswith("    ")]
    return [line.split() for line in indented]


def modules() -> Dict[str, Path]:
    """Path below the package, with dots -> file. A package is its ``__init__``."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: Dict[str, Path]) -> Set[str]:
    """The modules of the package that a file imports, wherever in it."""
    own = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == PACKAGE.name}
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = own[: len(own) - node.level + 1] + (node.module or "").split(".")
        elif (node.module or "").split(".")[0] == PACKAGE.name:
            base = node.module.split(".")[1:]
        else:
            continue
        base_name = ".".join(part for part in base if part)
        within = {f"{base_name}.{alias.name}".strip(".") for alias in node.names} & set(known)
        found |= within or {base_name}
    return {".".join(part for part in one.split(".") if part != PACKAGE.name) for one in found}


class Layout(unittest.TestCase):
    def setUp(self) -> None:
        known = modules()
        self.arrows = {name: imports(name, path, known) for name, path in known.items()}
        self.floor = {room: number for number, line in enumerate(floors()) for room in line}

    def test_every_module_has_its_floor(self):
        rooms = {name.split(".")[0] for name in self.arrows} - {""}
        self.assertEqual(rooms, set(self.floor))

    def test_arrows_point_downwards(self):
        for name, imported in self.arrows.items():
            for other in imported:
                room, known = name.split(".")[0], other.split(".")[0]
                if room != known:
                    self.assertLess(self.floor[room], self.floor[known], f"{name} imports {other}")

    def test_the_imports_are_found(self):
        self.assertIn("services.switchboard", self.arrows["gateway"])
        self.assertIn("services.paging", self.arrows["services.guardduty.service"])
        self.assertIn("server", self.arrows["__main__"])

    def test_there_is_no_circle_between_files(self):
        left = {name: set(imported) for name, imported in self.arrows.items()}
        while True:
            ends = {name for name, imported in left.items() if not imported & set(left)}
            if not ends:
                break
            left = {name: imported for name, imported in left.items() if name not in ends}
        self.assertEqual(sorted(left), [], "these import each other, or those that do")
