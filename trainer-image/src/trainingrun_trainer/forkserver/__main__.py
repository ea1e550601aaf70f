"""`python -m trainingrun_trainer.forkserver SOCKET MODULE...`: see the package."""

import gc
import importlib
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from trainingrun_trainer.forkserver import child
from trainingrun_trainer.forkserver.server import Birth, Server
from trainingrun_trainer.forkserver.traces import Traces, obstacle

EX_SOFTWARE = 70


def main(path: Path, modules: Sequence[str]) -> int:
    """Import, listen and fork; returns the exit code of the server, or of a child whose module has ended without one."""
    environment, before = dict(os.environ), Traces.now()
    gc.disable()
    imported = [importlib.import_module(name) for name in modules]
    against = [sentence for sentence in (obstacle(before, after=Traces.now()), *map(_objection, imported)) if sentence]
    if against:
        print(f"The fork server does not start: {' '.join(against)}", file=sys.stderr)
        return EX_SOFTWARE
    gc.freeze()
    birth = _serve(path, environment)
    if birth is not None:
        child.run(birth)
    return 0


def _objection(module: ModuleType) -> str | None:
    """What a module's function `obstacle`, if it has one, says against forking."""
    sentence: str | None = module.obstacle() if hasattr(module, "obstacle") else None
    return sentence


def _serve(path: Path, environment: dict[str, str]) -> Birth | None:
    """Listen; the socket gets its name when it can be connected to, and loses it at the end of the server."""
    new = path.with_suffix(".new")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(new))
        listening.listen(socket.SOMAXCONN)
        new.chmod(0o600)
        new.rename(path)
        birth = Server(listening, owner=sys.stdin.fileno(), environment=environment).serve()
    if birth is None:
        path.unlink(missing_ok=True)
    return birth


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
