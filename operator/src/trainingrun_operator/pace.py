"""The operator's times: `Pace` for its policies, `Timing` for the loops and requests around them.

Every field is an environment variable of the operator, whose name is the field's in capitals. This is the only place that says
its default, its bounds and what it means: settings are read, and their reference is written, from here.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MINUTE, HOUR, DAY = 60, 3600, 86400
_RENEWALS = 1.2
"""The library that holds the Lease wants the deadline of a renewal to be so many times its tries apart, and more."""


class Times(BaseModel):
    """Times in seconds, each within its bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pace(Times):
    """How long the policies wait."""

    restart_backoff_seconds: float = Field(
        10.0,
        ge=1,
        le=HOUR,
        description="Wait before a run's first restart without progress; doubled by each further one, and within 20 % of that.",
    )
    restart_backoff_limit_seconds: float = Field(
        300.0, ge=1, le=DAY, description="The longest wait before a restart, within 20 %."
    )
    failure_report_seconds: float = Field(
        10.0, ge=0, le=HOUR, description="How long the other workers may report after the first has failed."
    )
    lost_peer_seconds: float = Field(
        120.0,
        ge=0,
        le=HOUR,
        description="How long a worker that ended because another had gone is no verdict, while that one says nothing: whether "
        "its node is lost shows after about a minute and a half.",
    )
    pod_end_seconds: float = Field(
        10.0,
        ge=0,
        le=HOUR,
        description="How long pods may live on after all trainers have done their part. Then something else keeps them alive, "
        "such as a container that a webhook has added, and they are deleted.",
    )
    look_again_seconds: float = Field(
        5.0,
        ge=0.1,
        le=HOUR,
        description="How often a run is looked at while it waits for what comes without an event: a claim, a Secret, an end.",
    )
    stalled_look_again_seconds: float = Field(
        60.0, ge=0.1, le=DAY, description="The same, once nobody seems to come: the run is Stalled."
    )
    forbidden_retry_seconds: float = Field(
        30.0, ge=0.1, le=DAY, description="How often an object is tried again that a quota or a policy has refused."
    )
    queue_first_look_seconds: float = Field(
        2.0, ge=0.1, le=HOUR, description="How often Kueue is asked for its first word about a Job."
    )
    queue_look_again_seconds: float = Field(
        30.0, ge=0.1, le=DAY, description="How often Kueue is asked why a Job waits. That it may start is an event."
    )
    lost_node_seconds: int = Field(
        30, ge=0, le=DAY, description="How long a worker is left on a node that does not answer: tolerationSeconds of its pod."
    )
    silence_seconds: float = Field(
        60.0,
        ge=1,
        le=HOUR,
        description="How long worker 0 may leave the operator without an answer while its kubelet says that it is ready. Then "
        "the run says that it cannot be heard, and is not taken for hanging.",
    )
    progress_interval_seconds: float = Field(
        10.0,
        ge=0.1,
        le=HOUR,
        description="How often progress is written to the status at most, but for a new stage or first step.",
    )


class Timing(Times):
    """How often the operator's loops go round, and how long its requests may take."""

    progress_poll_seconds: float = Field(2.0, ge=0.1, le=HOUR, description="How often workers are asked for their progress.")
    progress_timeout_seconds: float = Field(2.0, ge=0.1, le=MINUTE, description="How long a worker may take to tell it.")
    stacks_timeout_seconds: float = Field(
        5.0, ge=0.1, le=MINUTE, description="How long a worker may take to write down the stacks of its ranks, when it hangs."
    )
    worker_connect_timeout_seconds: float = Field(
        1.0, ge=0.1, le=MINUTE, description="How long a connection to a worker may take."
    )
    api_timeout_seconds: float = Field(
        30.0, ge=1, le=10 * MINUTE, description="How long the API server may take to answer a request."
    )
    retry_seconds: float = Field(
        0.05, ge=0.001, le=HOUR, description="Wait before a failed look at a run is repeated; doubled by each further failure."
    )
    retry_limit_seconds: float = Field(300.0, ge=0.001, le=DAY, description="The longest such wait.")
    resync_seconds: float = Field(
        420.0, ge=1, le=DAY, description="How often all runs are looked at in case an event was missed, within 20 %."
    )
    node_cache_seconds: float = Field(
        60.0, ge=0, le=DAY, description="How old may be what is known of the nodes, when a pod fits on none."
    )
    drain_seconds: float = Field(
        10.0, ge=0, le=20, description="How long the operator finishes what is queued, when it is told to end."
    )
    lease_duration_seconds: int = Field(
        15, ge=3, le=HOUR, description="How long the other replica waits for a leader that does not renew its Lease."
    )
    lease_renew_deadline_seconds: float = Field(
        10.0, ge=2, le=HOUR, description="How long the leader tries to renew its Lease before it ends itself."
    )
    lease_retry_period_seconds: float = Field(
        2.0, ge=1, le=HOUR, description="How often the Lease is renewed by the leader, and looked at by the other replica."
    )

    @model_validator(mode="after")
    def _renews_in_time(self) -> Self:
        """A leader must have ended before another one begins, and have tried more than once to stay."""
        if self.lease_duration_seconds <= self.lease_renew_deadline_seconds:
            raise ValueError("LEASE_DURATION_SECONDS must be greater than LEASE_RENEW_DEADLINE_SECONDS")
        if self.lease_renew_deadline_seconds <= _RENEWALS * self.lease_retry_period_seconds:
            raise ValueError(f"LEASE_RENEW_DEADLINE_SECONDS must be greater than {_RENEWALS} times LEASE_RETRY_PERIOD_SECONDS")
        return self


def values(kind: type[Times], name: str) -> str:
    """The values that a time may have, in words."""
    schema = kind.model_json_schema()["properties"][name]
    number = "a whole number of seconds" if schema["type"] == "integer" else "a number of seconds"
    return f"{number} from {schema['minimum']:g} to {schema['maximum']:g}"
