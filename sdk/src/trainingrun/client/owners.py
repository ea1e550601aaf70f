"""Who else writes a run: a tool that keeps it as Git says will take back what is changed by hand. Pure."""

from collections.abc import Mapping

_ARGO = ("argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id")
_FLUX = ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name")


def git_owner(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str | None:
    """The tool that owns an object, by the marks that it leaves there, with the name that it goes by: `Argo CD (team)`."""
    marks = {**annotations, **labels}
    for tool, keys in (("Argo CD", _ARGO), ("Flux", _FLUX)):
        key = next((key for key in keys if marks.get(key)), None)
        if key is not None:
            return f"{tool} ({marks[key].partition(':')[0]})"
    return None


def warning(name: str, owner: str) -> str:
    """What to say before the object is changed by hand."""
    return (
        f"{owner} owns the run {name}: what is changed here it takes back, unless it is told to leave spec.suspend and "
        "spec.rerun alone. Change it in Git instead."
    )
