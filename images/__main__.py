"""`python3 -m images`: build, push and render from the command line."""

import argparse
import sys
from pathlib import Path

from images import ImageError, build, names, push, render, venv
from images.recipe import ACCELERATED, RECIPES, USUAL


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except ImageError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser(
        "build", help="build an image, unless it has not changed; all are the operator and the trainer"
    )
    building.add_argument("name", choices=[*RECIPES, "all"])
    for name, text in (("push", "push images to a registry"), ("render", "print the manifests for pushed images")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--registry", required=True)
        command.add_argument("--tag", required=True)
        command.add_argument("--also", action="append", default=[], choices=ACCELERATED, help="an image for accelerators")
    environment = commands.add_parser("trainer-venv", help="make the trainer's environment for tests")
    environment.add_argument("path", type=Path)
    return parser


def _run(options: argparse.Namespace) -> None:
    match options.command:
        case "build":
            for name in USUAL if options.name == "all" else [options.name]:
                archive = build(name)
                print(f"{archive.reference}\n  {archive.path} ({archive.path.stat().st_size / 1e6:.0f} MB)")
        case "push":
            for reference in push(registry=options.registry, tag=options.tag, accelerated=options.also).values():
                print(f"pushed {reference}")
        case "render":
            print(render(names(registry=options.registry, tag=options.tag, accelerated=options.also)))
        case "trainer-venv":
            venv.make(options.path.resolve())


if __name__ == "__main__":
    sys.exit(main())
