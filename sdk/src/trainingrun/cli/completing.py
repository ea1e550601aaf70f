"""Scripts that make a shell complete the command."""

from trainingrun.client.errors import UsageError

_SHELLS = ("bash", "zsh", "fish", "powershell")
PROGRAM = "kubectl-trainingrun"
VARIABLE = "_KUBECTL_TRAININGRUN_COMPLETE"


def script(shell: str) -> str:
    """The script for a shell. Raises UsageError for one that is not known."""
    if shell not in _SHELLS:
        raise UsageError(f"There is no completion for {shell}: there is for {', '.join(_SHELLS)}.")
    from typer._completion_shared import get_completion_script

    return get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
