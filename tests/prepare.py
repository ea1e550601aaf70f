"""`make prepare`: all that takes long to build for `make test` and `make demo`, side by side.

It is quiet and quick when all is there. It may run beside the tests: whoever needs a thing that is being built waits for it.
"""

import subprocess
import sys

import images
from cluster import ClusterError, binaries
from cluster import packages as of_cluster
from images import ImageError, builder, venv
from images.cache import cache_folder
from images.recipe import USUAL
from tests.gitops import judges
from tests.helm import program as helm
from tests.kueue import installation as kueue
from tests.object_store import server as object_stores
from tests.watching import promtool
from tools.parts import Part, PartError
from tools.prepare import are_programs_missing, image_part, package_parts, program_part, side_by_side

PROGRAMS = (
    binaries.KWOK,
    object_stores.S3,
    object_stores.GOOGLE,
    judges.MODULE,
    kueue.MODULE,
    helm.MODULE,
    promtool.MODULE,
)
"""What only tests need, in the order in which they come to it. What only long tests need, they build."""

PACKAGES = {
    **of_cluster.PACKAGES,
    **venv.DEBIAN_PACKAGES,
    "chromium": "/usr/bin/chromium",
    "ipset": "/usr/sbin/ipset",
    "docker-registry": "/usr/bin/docker-registry",
}
TRAINER_VENV = ".venv-trainer/ready"


def main() -> int:
    """Return the exit code: 0, or 1 after a sentence on standard error."""
    try:
        side_by_side(_programs(), _others())
    except (ClusterError, ImageError, PartError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def build_program(name: str) -> None:
    """Build the module of this name."""
    (module,) = (module for module in PROGRAMS if module.name == name)
    binaries.ensure_extra(module, cache=cache_folder())


def _programs() -> list[Part]:
    parts = [program_part()] if are_programs_missing() else []
    return parts + [_program_part(module.name) for module in PROGRAMS if not binaries.is_built(module, cache=cache_folder())]


def _program_part(name: str) -> Part:
    build = f"from tests.prepare import build_program; build_program({name!r})"
    return Part(name, ["nice", "-n", "5", sys.executable, "-c", build])


def _others() -> list[Part]:
    parts = package_parts({**PACKAGES, **builder.needed_packages()})
    parts += [image_part(name) for name in USUAL if not images.is_built(name)]
    if subprocess.run(["make", "--question", TRAINER_VENV], capture_output=True, check=False).returncode != 0:
        parts.append(Part("the trainer's environment", ["make", "--no-print-directory", TRAINER_VENV]))
    return parts


if __name__ == "__main__":
    sys.exit(main())
