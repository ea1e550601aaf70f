"""The network, data and steps of the measured TrainingRuns, written as users of an MPIJob write it; runs in its pods.

One training loop of Horovod's kind for TensorFlow 2: a gradient tape that averages, and variables that are broadcast once.
"""

import gzip
from pathlib import Path

import horovod.tensorflow as hvd
import numpy as np
import tensorflow as tf
import tf_keras

DIGITS = Path("/opt/trainingrun/data/mnist-10k")
SAMPLES, BATCH, EPOCHS = 9000, 64, 10


def main() -> None:
    """Train; rank 0 says when the first step is done."""
    hvd.init()
    images = np.frombuffer(gzip.decompress((DIGITS / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((DIGITS / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    inputs = images.reshape(-1, 28, 28, 1)[:SAMPLES].astype(np.float32) / 255
    samples = tf.data.Dataset.from_tensor_slices((inputs, labels[:SAMPLES].astype(np.int64)))
    batches = samples.shard(hvd.size(), hvd.rank()).shuffle(SAMPLES).batch(BATCH).repeat(EPOCHS).prefetch(2)
    network = tf_keras.Sequential(
        [
            tf_keras.layers.Flatten(input_shape=(28, 28, 1)),
            tf_keras.layers.Dense(128, activation="relu"),
            tf_keras.layers.Dense(10, activation="softmax"),
        ]
    )
    loss = tf_keras.losses.SparseCategoricalCrossentropy()
    optimizer = tf_keras.optimizers.Adam(0.001)

    def step(batch: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(answers, network(batch, training=True))
        gradients = hvd.DistributedGradientTape(tape).gradient(value, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return value

    compiled = tf.function(step)
    for number, (batch, answers) in enumerate(batches):
        value = compiled(batch, answers)
        if number == 0:
            hvd.broadcast_variables(network.variables, root_rank=0)
            hvd.broadcast_variables(optimizer.variables, root_rank=0)
            if hvd.rank() == 0:
                print(f"first step done, loss {value:.3f}", flush=True)
    if hvd.rank() == 0:
        print(f"done, loss {value:.3f}", flush=True)


if __name__ == "__main__":
    main()
