"""What is taken for the loss of a peer, and what is a failure of the rank's own."""

import pytest
import tensorflow as tf

from trainingrun_trainer.rank import unexpected


class HorovodInternalError(RuntimeError):
    """As Horovod's own, whose module is all that is looked at beside the name."""

    __module__ = "horovod.common.exceptions"


SHUT_DOWN = "Horovod has been shut down. This was caused by an exception on one of the ranks or an attempt to allreduce."
READ = "[/build/gloo/transport/tcp/pair.cc:589] Read error [127.0.0.1]:24985: Connection reset by peer"
CLOSED = "[/build/gloo/transport/tcp/pair.cc:598] Connection closed by peer [127.0.0.1]:20868"
CALLED = (
    "{{{{function_node __wrapped__HorovodAllgather_device_/job:localhost/device:CPU:0}}}} {} [Op:HorovodAllgather] name: b0"
)
IN_A_GRAPH = """Graph execution error:

Detected at node gradients defined at (most recent call last):
  File "/usr/lib/python3/site-packages/horovod/tensorflow/mpi_ops.py", line 176, in _grouped_allreduce

{}
\t [[{{{{node while/body/gradients}}}}]] [Op:__inference_run_1]"""
BY_ITS_NODE = "{}\n\t [[{{{{node while/body/HorovodGroupedAllreduce}}}}]] [Op:__inference_run_1]"


@pytest.mark.parametrize("where", [CALLED, IN_A_GRAPH, BY_ITS_NODE], ids=["called", "in a graph", "by its node"])
@pytest.mark.parametrize("words", [SHUT_DOWN, READ, CLOSED], ids=["Horovod", "read", "closed"])
def test_a_collective_operation_that_has_lost_its_peers_is_known_in_all_its_words(where: str, words: str) -> None:
    message = unexpected(tf.errors.UnknownError(None, None, where.format(words)))
    assert (message.cause, message.exit_code) == ("PeerLost", 69)


def test_horovods_own_error_is_known_by_its_type() -> None:
    assert unexpected(HorovodInternalError("whatever it says")).cause == "PeerLost"


def from_a_function_in_a_graph(words: str) -> Exception:
    """What a user's own exception becomes in `tf.numpy_function`."""

    def read(_: object) -> None:
        raise ConnectionResetError(words)

    graph = tf.function(lambda: tf.numpy_function(read, [tf.constant(1)], tf.int32), autograph=False)
    with pytest.raises(tf.errors.OpError) as raised:
        graph()
    error: Exception = raised.value
    return error


@pytest.mark.parametrize("words", [SHUT_DOWN, READ, CLOSED, "Connection closed by peer", "HorovodInternalError"])
def test_a_users_own_error_is_none_whatever_it_says(words: str) -> None:
    users = (RuntimeError(words), ConnectionResetError(words), ValueError(IN_A_GRAPH.format(words)))
    tensorflows = (
        from_a_function_in_a_graph(words),
        tf.errors.UnavailableError(None, None, f"{words} [Op:ReadFile]"),
        tf.errors.UnknownError(None, None, IN_A_GRAPH.format(f"{words} [[{{{{node EagerPyFunc}}}}]]")),
    )
    assert [unexpected(error).cause for error in (*users, *tensorflows)] == ["RankFailed"] * 6


@pytest.mark.parametrize("where", [CALLED, IN_A_GRAPH, BY_ITS_NODE], ids=["called", "in a graph", "by its node"])
def test_a_collective_operation_that_fails_for_another_reason_has_lost_nobody(where: str) -> None:
    words = "Mismatched allreduce tensor shapes: one rank sent [3], another [4]."
    assert unexpected(tf.errors.UnknownError(None, None, where.format(words))).cause == "RankFailed"
