"""The image of the played rank: the operator's image with the agent, whose rank module is `tests.rank.entry`."""

import shutil
import tempfile
from pathlib import Path

import cluster
from images.builder import choose
from images.cache import cache_folder, locked
from images.recipe import RECIPES, ROOT, Recipe

_FOLDER = Path(__file__).parent
_RECIPE = Recipe("played", (*RECIPES["operator"].inputs, "trainer-image/src", "tests/rank"))


def load(backend: cluster.Cluster) -> str:
    """Build the image unless nothing of it has changed, bring it into the cluster, and return its name."""
    folder = cache_folder() / "images"
    archive = folder / f"{_RECIPE.repository}-{_RECIPE.tag}.tar"
    with locked("images"):
        if not archive.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _build(archive)
    backend.load(archive)
    return _RECIPE.reference


def _build(archive: Path) -> None:
    builder, operator = choose(cache_folder()), RECIPES["operator"]
    builder.build(target=operator.name, reference=operator.reference)
    with tempfile.TemporaryDirectory() as made:
        context = Path(made)
        library = context / "lib"
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / "trainer-image" / "src", library, ignore=ignored)
        shutil.copytree(_FOLDER, library / "tests" / "rank", ignore=ignored)
        shutil.copyfile(_FOLDER / "entry.py", library / "trainingrun_trainer" / "rank.py")
        shutil.copyfile(_FOLDER / "sitecustomize.py", library / "sitecustomize.py")
        shutil.copyfile(_FOLDER / "Dockerfile", context / "Dockerfile")
        arguments = {"OPERATOR": operator.reference}
        builder.build_from(context, target=_RECIPE.name, reference=_RECIPE.reference, arguments=arguments)
    temporary = archive.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    builder.save(reference=_RECIPE.reference, archive=temporary)
    for outdated in archive.parent.glob(f"{_RECIPE.repository}-*.tar"):
        outdated.unlink()
    temporary.rename(archive)
