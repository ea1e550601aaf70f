"""Where a worker pod mounts what the trainer uses.

Apart from the contract, which imports the API: the API refuses volumes of the user in these places.
"""

CONFIG_MOUNT = "/etc/trainingrun"
CODE_MOUNT = "/etc/trainingrun-code"
DATA_MOUNT = "/data"
OUTPUT_MOUNT = "/output"
SCRATCH_MOUNT = "/tmp"
SHARED_MEMORY_MOUNT = "/dev/shm"

TRAINER_MOUNTS = (CONFIG_MOUNT, CODE_MOUNT, DATA_MOUNT, OUTPUT_MOUNT, SCRATCH_MOUNT, SHARED_MEMORY_MOUNT)
