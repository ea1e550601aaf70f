"""Prepare a release, or make what it consists of.

python -m tools.release notes --version 1.2.0                       # version and changelog, to be committed
python -m tools.release build --version 1.2.0 --registry HOST/TEAM  # images, manifests, chart, wheel, bills, checksums
"""

import argparse
import sys
from pathlib import Path

from cluster.errors import ClusterError
from images.errors import ImageError
from images.recipe import RECIPES, USUAL
from tools.release import build, notes
from tools.release.errors import ReleaseError

ROOT = Path(__file__).parent.parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "notes":
            notes.write(ROOT, version=options.version)
        else:
            wanted = build.Wanted(options.version, registry=options.registry, source=options.source, images=options.images)
            build.build(ROOT, wanted, target=options.target.resolve(), sign=options.sign)
    except (ReleaseError, ImageError, ClusterError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    preparing = commands.add_parser("notes", help="write the version, and the changelog from changelog.d")
    building = commands.add_parser("build", help="make what the release consists of, from the commit that is checked out")
    for command in (preparing, building):
        command.add_argument("--version", required=True, help="such as 1.2.0 or 1.2.0-rc.1")
    building.add_argument("--registry", required=True, help="where the images will be, such as registry.example/team")
    building.add_argument("--source", default="", help="address of the repository, a label of the images")
    building.add_argument("--images", nargs="+", default=list(USUAL), choices=RECIPES, help="without it, those for CPUs")
    building.add_argument("--target", type=Path, default=ROOT / "build" / "release", help="folder, which must not be there")
    building.add_argument("--sign", default="", help="a command that signs the file which is its last word")
    return parser


if __name__ == "__main__":
    sys.exit(main())
