"""Queues and priorities for tests."""

from typing import Any

QUEUE = "team"
_API = "kueue.x-k8s.io/v1beta2"


def queues(*, namespace: str, cpu: str) -> list[dict[str, Any]]:
    """A LocalQueue `team` of a ClusterQueue with so much CPU, in which a higher priority preempts a lower one."""
    quota = [{"name": "cpu", "nominalQuota": cpu}, {"name": "memory", "nominalQuota": "100Gi"}]
    cluster_queue = {
        "namespaceSelector": {},
        "preemption": {"withinClusterQueue": "LowerPriority"},
        "resourceGroups": [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": "default", "resources": quota}]}],
    }
    priorities = {"low": 10, "high": 1000}
    return [
        {"apiVersion": _API, "kind": "ResourceFlavor", "metadata": {"name": "default"}, "spec": {}},
        {"apiVersion": _API, "kind": "ClusterQueue", "metadata": {"name": "all"}, "spec": cluster_queue},
        {
            "apiVersion": _API,
            "kind": "LocalQueue",
            "metadata": {"name": QUEUE, "namespace": namespace},
            "spec": {"clusterQueue": "all"},
        },
        *(
            {"apiVersion": _API, "kind": "WorkloadPriorityClass", "metadata": {"name": name}, "value": value}
            for name, value in priorities.items()
        ),
    ]


def in_queue(priority: str) -> dict[str, str]:
    """Labels of a run."""
    return {"kueue.x-k8s.io/queue-name": QUEUE, "kueue.x-k8s.io/priority-class": priority}
