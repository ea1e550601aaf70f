"""Pruning on two real ranks."""

import re

from tests.unit.trainer.starting import Start


def test_two_ranks_prune_the_same_weights_and_keep_the_accuracy(start: Start) -> None:
    compression = {"pruning": {"finalSparsities": ["0.5", "0.9"], "epochs": 2}}
    training = {"epochs": 2, "batchSize": 64}
    gang = start(rank="tests.unit.trainer.pruning_rank", compression=compression, training=training)
    assert [record.exit_code for record in gang.wait()] == [0, 0], gang.log(0)[-3000:]
    found = [re.findall(r"pruned (\S+) (\S+) (\S+) ([0-9a-f]{64})", gang.log(worker)) for worker in (0, 1)]
    assert found[0] == found[1]
    assert [(asked, share) for asked, share, _, _ in found[0]] == [("0.5", "0.500"), ("0.9", "0.900")]
    assert all(float(accuracy) > 0.88 for _, _, accuracy, _ in found[0])
