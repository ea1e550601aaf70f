"""The objects that are measured: a TrainingRun per transport, and an MPIJob per policy of its launcher. Pure.

All train the same network with the same steps on the digits that are in the trainer image, on two workers with one process
each and the same resources.
"""

from pathlib import Path
from typing import Any

CLAIM = "models"
WORKERS = 2
EPOCHS = 10
SSH_PORT = 2222
SSH_FOLDER = "/tmp/.ssh"
"""Below the home of the image's user: where ssh looks by itself."""
RESOURCES = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}

Manifest = dict[str, Any]


def training_run(name: str, *, transport: str) -> Manifest:
    """Ours."""
    return {
        "apiVersion": "trainingrun.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name},
        "spec": {
            "workers": {"replicas": WORKERS, "resources": RESOURCES},
            "strategy": {"transport": transport},
            "data": {"source": {"builtin": "MNIST10k"}, "validationFraction": 0.1},
            "model": {"builtin": {"type": "MLP"}},
            "training": {"epochs": EPOCHS, "batchSize": 64},
            "output": {"persistentVolumeClaim": {"claimName": CLAIM, "path": "launch"}},
        },
    }


def mpi_job(name: str, *, image: str, policy: str) -> Manifest:
    """The same for the MPI operator, with `policy` as its `launcherCreationPolicy`."""
    ssh = f"-p {SSH_PORT} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectionAttempts=10"
    command = ["mpirun", "-np", str(WORKERS), "-bind-to", "none", "-map-by", "slot", "-mca", "plm_rsh_args", ssh]
    variables = [word for name in ("PATH", "PYTHONPATH", "TF_USE_LEGACY_KERAS") for word in ("-x", name)]
    return {
        "apiVersion": "kubeflow.org/v2beta1",
        "kind": "MPIJob",
        "metadata": {"name": name},
        "spec": {
            "slotsPerWorker": 1,
            "launcherCreationPolicy": policy,
            "sshAuthMountPath": SSH_FOLDER,
            "runPolicy": {"cleanPodPolicy": "Running"},
            "mpiReplicaSpecs": {
                "Launcher": {"replicas": 1, "template": _pod(image, [*command, *variables, "python3", "/bench/recipe.py"])},
                "Worker": {
                    "replicas": WORKERS,
                    "template": _pod(image, ["/usr/sbin/sshd", "-De", "-f", "/bench/sshd_config"], resources=RESOURCES),
                },
            },
        },
    }


def files(name: str) -> Manifest:
    """The ConfigMap with the recipe, and the configuration that the MPI operator's own base image has for sshd."""
    recipe = (Path(__file__).parent / "recipe.py").read_text()
    sshd = f"Port {SSH_PORT}\nPidFile /tmp/sshd.pid\nHostKey {SSH_FOLDER}/id_rsa\nStrictModes no\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"recipe.py": recipe, "sshd_config": sshd},
    }


FILES = "launch-files"


def _pod(image: str, command: list[str], *, resources: Manifest | None = None) -> Manifest:
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "resources": resources or {"requests": {"cpu": "50m", "memory": "64Mi"}},
        "securityContext": {
            "runAsUser": 1000,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "files", "mountPath": "/bench"}],
    }
    return {"spec": {"containers": [container], "volumes": [{"name": "files", "configMap": {"name": FILES}}]}}
