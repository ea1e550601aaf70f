"""A rank that only says which of its worker's devices is its own."""

import os

from trainingrun_trainer.devices import LOCAL_RANK_VARIABLE

if __name__ == "__main__":
    print(f"local rank {os.environ[LOCAL_RANK_VARIABLE]}")
