"""Find and call a function of the user's. Whatever his code does becomes a sentence that names his line."""

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainingrun.api import EntrypointModel
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.out_of_memory import is_out_of_memory, out_of_memory

FIELD = "spec.model.entrypoint"
LISTED = 10


@dataclass(frozen=True)
class UserFunction:
    """A function that has been found, and where its code is."""

    name: str
    """As the specification writes it: `module:function`."""
    root: Path
    """The file or folder that the user has written."""
    call: Callable[..., Any]


def find(entrypoint: EntrypointModel, *, code: Path) -> UserFunction:
    """Import the function; `code` is where a ConfigMap with it is mounted, and comes first on Python's path.

    Raises TrainerError (bad config): there is no such module or function, or importing it fails.
    """
    module_name, _, function_name = entrypoint.function.partition(":")
    root = (
        _in_config_map(entrypoint, module_name, code=code) if entrypoint.config_map_name else _in_image(entrypoint, module_name)
    )
    what = f"{FIELD}.function {entrypoint.function}"
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as problem:  # the module is the user's: it may raise anything
        raise bad_config(f"{what}: importing {module_name} {_raised(problem, root=root)}.") from problem
    function = getattr(module, function_name, None)
    if not callable(function):
        functions = [name for name, value in vars(module).items() if inspect.isfunction(value) and not name.startswith("_")]
        raise bad_config(f"{what}: {module_name} has no function {function_name}; it has {_list(functions) or 'none'}.")
    return UserFunction(name=entrypoint.function, root=root, call=function)


def call(function: UserFunction, **arguments: Any) -> Any:
    """Call the function with its arguments in their order.

    Raises TrainerError (bad config) when it does not take so many, or raises.
    """
    given = tuple(arguments.values())
    expected = f"({', '.join(arguments)})"
    try:
        inspect.signature(function.call).bind(*given)
    except TypeError as other:
        raise bad_config(
            f"{FIELD}.function {function.name} is called as {expected}, but takes {inspect.signature(function.call)}: change "
            "its parameters."
        ) from other
    try:
        return function.call(*given)
    except (Exception, SystemExit) as problem:  # the function is the user's: it may raise anything
        raise raised(function, problem) from problem


def raised(function: UserFunction, problem: BaseException, *, what: str = "") -> TrainerError:
    """The error for a user's code that has raised; `what` of the function, by default the function itself.

    Memory that was not enough may be elsewhere: only that is no fault of the configuration.
    """
    words = f"{FIELD}.function {function.name}{what} {_raised(problem, root=function.root)}."
    return out_of_memory(words=words) if is_out_of_memory(problem) else bad_config(words)


def _in_config_map(entrypoint: EntrypointModel, module: str, *, code: Path) -> Path:
    """The folder with the files of the ConfigMap, once the module is known to come from there."""
    files = sorted(path.name for path in code.glob("*") if not path.name.startswith("."))
    if f"{module}.py" not in files:
        raise bad_config(
            f"{FIELD}.configMapName {entrypoint.config_map_name} has no key {module}.py, which {entrypoint.function} needs; it "
            f"has {_list(files) or 'none'}."
        )
    taken = sys.modules.get(module)
    if taken is not None and not str(getattr(taken, "__file__", "")).startswith(f"{code}/"):
        raise bad_config(f"{FIELD}.function {entrypoint.function}: the trainer has a module {module} already. Rename yours.")
    sys.path.insert(0, str(code))
    importlib.invalidate_caches()
    return code


def _in_image(entrypoint: EntrypointModel, module: str) -> Path:
    """The file or the package of the module's outermost part."""
    outermost = module.partition(".")[0]
    found = importlib.util.find_spec(outermost)
    if found is None:
        close = difflib.get_close_matches(outermost, [each.name for each in pkgutil.iter_modules()])
        similar = f" Similar names: {_list(close)}." if close else ""
        raise bad_config(
            f"{FIELD}.function {entrypoint.function}: there is no module {outermost} in the image.{similar} Install it in "
            f"spec.image, or put {outermost}.py into a ConfigMap and name that in {FIELD}.configMapName."
        )
    origin = Path(found.origin or next(iter(found.submodule_search_locations or ()), ""))
    return origin.parent if origin.name == "__init__.py" else origin


def _raised(problem: BaseException, *, root: Path) -> str:
    """What a user's code has raised, and the innermost of its lines that were running."""
    words = " ".join(str(problem).split()) or "no message"
    if isinstance(problem, SystemExit):
        return f"ended the process (sys.exit with {problem.code!r}{_line(problem, root=root)})"
    return f"raised {type(problem).__name__}: {words.rstrip('.')}{_line(problem, root=root)}"


def _line(problem: BaseException, *, root: Path) -> str:
    if isinstance(problem, SyntaxError) and problem.filename and _is_below(problem.filename, root=root):
        return ""  # Python's own words name file and line
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if _is_below(frame.filename, root=root)]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}: {frames[-1].line})" if frames else ""


def _is_below(file: str, *, root: Path) -> bool:
    return root in (Path(file), *Path(file).parents)


def _list(names: list[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
