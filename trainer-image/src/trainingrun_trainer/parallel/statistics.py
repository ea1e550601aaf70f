"""Moving statistics, such as BatchNorm's averages: each rank has seen other samples, and no gradient brings them together."""

import numpy as np

from trainingrun_trainer.models.weights import Network, moving_statistics
from trainingrun_trainer.parallel.gang import Gang


def average_statistics(gang: Gang, network: Network) -> None:
    """Give all ranks the same moving statistics: the mean of what each has seen of the samples."""
    statistics = moving_statistics(network)
    if not statistics or gang.size == 1:
        return
    values = [variable.numpy() for variable in statistics]
    mean = gang.sum(np.concatenate([value.ravel() for value in values]).astype(np.float64)) / gang.size
    ends = np.cumsum([value.size for value in values])[:-1]
    for variable, value, part in zip(statistics, values, np.split(mean, ends), strict=True):
        variable.assign(part.reshape(value.shape).astype(value.dtype))
