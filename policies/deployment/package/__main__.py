"""Makes every artefact that this machine can, tests each, and lists the others with what is missing.

    python3 policies/deployment/package [--profile NAME] [--only KIND ...] [--built] [--all]

The artefacts end up in dist/ in the target directory, with SHA256SUMS.
"""
import argparse
import shutil
import sys
from pathlib import Path
from typing import Callable, List, NamedTuple, Tuple

import check
import tools
from make import Maker
from project import Project
from tools import Failed, Need


class Kind(NamedTuple):
    name: str
    make: Callable[[Maker], Path]
    needs: List[Need]
    test: Callable[[Project, Path], str]
    test_needs: List[Need]


STATIC = [tools.MUSL_TARGET, tools.MUSL_GCC]
KINDS = [
    Kind("cargo", Maker.cargo, [], check.cargo, []),
    Kind("deb", Maker.deb, [tools.CARGO_DEB, tools.SHLIBDEPS], check.deb, [tools.DPKG, tools.SYSTEMD, tools.HELPERS, tools.SUPERUSER]),
    Kind("rpm", Maker.rpm, [tools.CARGO_RPM], check.rpm, [tools.RPM, tools.SYSTEMD, tools.SUPERUSER]),
    Kind("tarball", Maker.tarball, STATIC, check.tarball, [tools.SUPERUSER]),
    Kind("image", Maker.image, [*STATIC, tools.CERTIFICATES], check.oci, [tools.SUPERUSER]),
    Kind("wheel", Maker.wheel, [tools.MATURIN, *STATIC], check.wheel, [tools.VENV]),
    Kind("sbom", Maker.sbom, [tools.CYCLONEDX], check.sbom, []),
]


def main() -> int:
    names = [kind.name for kind in KINDS]
    parser = argparse.ArgumentParser(prog="make package", description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="release", help="the profile of Cargo's that is built")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="KIND", help=", ".join(names))
    parser.add_argument("--built", action="store_true", help="take the binaries that are in the target directory")
    parser.add_argument("--all", action="store_true", help="fail when something cannot be made or tested here")
    args = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.exit("make package runs on Linux. Elsewhere: cargo install --locked --path .")

    project = Project.read(args.profile)
    shutil.rmtree(project.out, ignore_errors=True)
    project.out.mkdir(parents=True)
    maker = Maker(project, args.built)
    lines: List[Tuple[str, str]] = []
    made: List[Path] = []
    failed = incomplete = False
    for kind in [kind for kind in KINDS if kind.name in args.only]:
        print(f"\n==> {kind.name}", flush=True)
        lacking = tools.missing(kind.needs)
        if lacking:
            incomplete = True
            lines += [(kind.name, f"NOT MADE: {need.what} is missing: {need.how}") for need in lacking]
            continue
        try:
            path = kind.make(maker)
            if path.parent == project.out:
                made.append(path)
            lacking = tools.missing(kind.test_needs)
            if lacking:
                incomplete = True
                lines += [(kind.name, f"NOT TESTED: {need.what} is missing: {need.how}") for need in lacking]
            else:
                lines.append((kind.name, kind.test(project, path)))
        except Failed as error:
            failed = True
            lines.append((kind.name, f"FAILED: {error}"))

    sums = "".join(f"{check.checksum(path)}  {path.name}\n" for path in sorted(made))
    (project.out / "SHA256SUMS").write_text(sums)
    print(f"\n{project.out}")
    for path in sorted(made):
        print(f"  {path.stat().st_size / 1e6:7.1f} MB  {path.name}")
    print()
    for name, line in lines:
        print(f"{name:8} {line}")
    print(f"\nFor another processor than {project.machine}, run make package on a machine that has it.")
    if failed:
        print("make package: FAILED", file=sys.stderr)
    return int(failed or (args.all and incomplete))


if __name__ == "__main__":
    sys.exit(main())
