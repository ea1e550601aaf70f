"""What an operator imports only once it works. The fork server imports it before, so that not every operator needs to."""

import gc
from datetime import datetime

from kubernetes.aio.client import CoordinationV1Api, V1Lease, V1LeaseSpec, V1ObjectMeta

__all__ = ["CoordinationV1Api", "V1Lease", "V1LeaseSpec", "V1ObjectMeta"]

datetime.strptime("2026", "%Y")  # imports a module
gc.freeze()  # else the first collection of every operator would copy all of it
