"""The objects of one attempt, built from values: one file per object. They are created once and never changed."""

from trainingrun_operator.children.accelerator import hosts_service, is_slice_of_hosts
from trainingrun_operator.children.config_map import config_map
from trainingrun_operator.children.gang import in_gang, pod_group
from trainingrun_operator.children.job import job
from trainingrun_operator.children.network_policy import network_policy
from trainingrun_operator.children.service import rendezvous_service

__all__ = [
    "config_map",
    "hosts_service",
    "in_gang",
    "is_slice_of_hosts",
    "job",
    "network_policy",
    "pod_group",
    "rendezvous_service",
]
