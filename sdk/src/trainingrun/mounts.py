"""Where a worker pod mounts what the trainer uses.

Apart from the contract, which imports the API: the API refuses volumes of the user in these places.
"""

CONFIG_MOUNT = "/etc/trainingrun"
CODE_MOUNT = "/etc/trainingrun-code"
DATA_MOUNT = "/data"
OUTPUT_MOUNT = "/output"
DATA_ACCESS_MOUNT = "/etc/trainingrun-data"
OUTPUT_ACCESS_MOUNT = "/etc/trainingrun-output"
SCRATCH_MOUNT = "/tmp"
SHARED_MEMORY_MOUNT = "/dev/shm"
MPI_MOUNT = "/run/trainingrun-mpi"

TRAINER_MOUNTS = (
    CONFIG_MOUNT,
    CODE_MOUNT,
    DATA_MOUNT,
    OUTPUT_MOUNT,
    DATA_ACCESS_MOUNT,
    OUTPUT_ACCESS_MOUNT,
    SCRATCH_MOUNT,
    SHARED_MEMORY_MOUNT,
    MPI_MOUNT,
)
