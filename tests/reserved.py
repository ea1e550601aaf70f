"""What belongs to the trainer, written down apart from the code that refuses it."""

VARIABLES = (
    *(
        "HOROVOD_RANK",
        "TRAININGRUN_CONFIG",
        "TRAININGRUN_TOKEN",
        "TRAININGRUN_ANY",
        "OMPI_COMM_WORLD_RANK",
        "PMIX_RANK",
        "PRTE_MCA_x",
    ),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONINSPECT", "PYTHONWARNINGS"),
    *("TF_CONFIG", "TF_USE_LEGACY_KERAS", "PATH", "HOME", "HOSTNAME", "TMPDIR", "BASH_ENV", "JOB_COMPLETION_INDEX"),
    *("NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "TPU_WORKER_ID", "TPU_WORKER_HOSTNAMES"),
)

PLACES = (
    *("/data", "/output", "/tmp", "/dev", "/dev/shm", "/etc", "/etc/trainingrun", "/opt", "/opt/venv", "/proc", "/sys"),
    *("/etc/trainingrun-code", "/etc/trainingrun-data", "/etc/trainingrun-output"),
    *("/bin", "/boot", "/lib", "/lib32", "/lib64", "/run", "/run/trainingrun-mpi", "/sbin", "/usr", "/var"),
)
