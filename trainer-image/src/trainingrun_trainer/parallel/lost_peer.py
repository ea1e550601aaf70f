"""Whether an error says that another rank has gone. Pure: it must be told also where TensorFlow has not been loaded."""

import re

_WORDS = ("Horovod has been shut down", "Connection closed by peer", "gloo/transport/tcp/")
"""Of Horovod, when one of its threads has noticed, or of the connection that Gloo read or wrote, when another was faster
("gloo/transport/tcp/pair.cc:589] Read error [...]: Connection reset by peer"). An operation of Horovod's that fails for
another reason, such as shapes that differ, has lost nobody."""
_OPERATION = re.compile(
    r"__wrapped__Horovod|\[Op:Horovod|horovod/tensorflow/mpi_ops\.py|\{\{node (\S*/)?(gradients|Horovod[A-Z]\w*)\}\}"
)
"""An operation of Horovod's as TensorFlow names it: called by itself, or in a graph by where its node was made, or a name."""
_FUNCTION = re.compile(r"\{\{node [^}]*\b(Eager)?PyFunc|__wrapped__(Eager)?PyFunc|\[Op:(Eager)?PyFunc")
"""A function in Python, in which a user's own error becomes one of TensorFlow's."""


def is_lost_peer(problem: BaseException) -> bool:
    """Whether a collective operation has lost its peers: by who raised it first, because the words can be anybody's.

    Users' code reads from servers that close connections, too. Horovod raises through TensorFlow, as an error of an operation.
    """
    if _is_a(problem, "HorovodInternalError", package="horovod"):
        return True
    text = str(problem)
    is_ours = _is_a(problem, "OpError", package="tensorflow") and _OPERATION.search(text) and not _FUNCTION.search(text)
    return bool(is_ours) and any(words in text for words in _WORDS)


def _is_a(problem: BaseException, name: str, *, package: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in type(problem).__mro__)
