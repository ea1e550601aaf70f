"""What the operator reads from its environment: every time has a default, bounds and a variable of its own."""

import re

import pytest

from tools.operator_reference import page
from trainingrun.api import AcceleratorKind
from trainingrun_operator import __main__ as program
from trainingrun_operator import logs
from trainingrun_operator.choices import Choices
from trainingrun_operator.name_servers import DEFAULT_SERVERS, DnsAddresses
from trainingrun_operator.pace import Pace, Times, Timing
from trainingrun_operator.settings import Settings

LEAST = {"TRAINER_IMAGE": "trainer:1"}
KINDS = (Pace, Timing)
FIELDS = [pytest.param(kind, name, id=name.upper()) for kind in KINDS for name in kind.model_fields]
TOGETHER = {"LEASE_DURATION_SECONDS": "3000", "LEASE_RENEW_DEADLINE_SECONDS": "2000"}
"""What lets each time of the Lease be changed alone."""


def read(**variables: str) -> Settings:
    return Settings.from_environment(LEAST | variables)


def times(settings: Settings) -> dict[str, float]:
    return settings.config.pace.model_dump() | settings.timing.model_dump()


def test_without_variables_the_times_are_those_that_runs_are_used_to() -> None:
    assert times(read()) == {
        "restart_backoff_seconds": 10,
        "restart_backoff_limit_seconds": 300,
        "failure_report_seconds": 10,
        "lost_peer_seconds": 120,
        "pod_end_seconds": 10,
        "look_again_seconds": 5,
        "stalled_look_again_seconds": 60,
        "forbidden_retry_seconds": 30,
        "queue_first_look_seconds": 2,
        "queue_look_again_seconds": 30,
        "lost_node_seconds": 30,
        "silence_seconds": 60,
        "progress_interval_seconds": 10,
        "progress_poll_seconds": 2,
        "progress_timeout_seconds": 2,
        "stacks_timeout_seconds": 5,
        "worker_connect_timeout_seconds": 1,
        "api_timeout_seconds": 30,
        "retry_seconds": 0.05,
        "retry_limit_seconds": 300,
        "resync_seconds": 420,
        "node_cache_seconds": 60,
        "drain_seconds": 10,
        "lease_duration_seconds": 15,
        "lease_renew_deadline_seconds": 10,
        "lease_retry_period_seconds": 2,
    }


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_each_time_is_read_from_its_own_variable_and_changes_nothing_else(kind: type[Times], name: str) -> None:
    others = TOGETHER if name.startswith("lease_retry") else {}
    changed = times(read(**others | {name.upper(): "13"}))
    assert {each for each, value in changed.items() if value != times(read(**others))[each]} == {name}
    assert changed[name] == 13


def test_pods_are_made_for_most_clusters_unless_the_deployment_says_otherwise() -> None:
    config = read().config
    assert (config.worker_user, config.architecture, config.name_servers) == (1000, None, DEFAULT_SERVERS)
    config = read(WORKER_USER="Cluster", TRAINER_ARCHITECTURE="arm64", NAME_SERVERS="169.254.169.254").config
    assert (config.worker_user, config.architecture) == (None, "arm64")
    assert config.name_servers == (DnsAddresses("169.254.169.254/32"),)
    assert read(WORKER_USER="2000").config.worker_user == 2000


CHOSEN = {
    "an image with a space": ("TRAINER_IMAGE_GPU", "a b", "it is the name of an image, such as"),
    "half a digest": ("TRAINER_IMAGE", "trainer@sha256:12", "it is the name of an image, such as"),
    "no label": ("TRAINER_ARCHITECTURE", "amd 64", "it is the value of a label, such as amd64."),
    "no namespace": ("WATCH_NAMESPACES", "vision,team_a", "it is names of namespaces, apart by commas."),
    "not one namespace": ("WATCH_NAMESPACES", " , ", "it is names of namespaces, apart by commas."),
    "a namespace of ours": ("POD_NAMESPACE", "Training", "it is the name of a namespace."),
    "no scheduler": ("GANG_SCHEDULER", "Slurm", "it is one of Kubernetes, Coscheduling, Volcano, or not set."),
}


@pytest.mark.parametrize(("variable", "value", "words"), CHOSEN.values(), ids=CHOSEN)
def test_a_choice_that_is_none_is_refused_by_name_and_value(variable: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^{variable} is {re.escape(value)}: {re.escape(words)}"):
        read(**{variable: value})


def test_every_accelerator_has_an_image_of_its_own() -> None:
    assert {f"TRAINER_IMAGE_{kind}" for kind in AcceleratorKind} | {"TRAINER_IMAGE"} == {
        name.upper() for name in Choices.model_fields if name.startswith("trainer_image")
    }


def test_several_namespaces_are_watched_each_once_and_without_a_word_all() -> None:
    assert read(WATCH_NAMESPACES="vision, team-a,vision").watch_namespaces == ("vision", "team-a")
    assert read().watch_namespaces is None


OF_PODS = {
    "root": ("WORKER_USER", "0", "it is the number of a user other than 0, or Cluster."),
    "a name": ("WORKER_USER", "nobody", "it is the number of a user other than 0, or Cluster."),
    "no address": ("NAME_SERVERS", "169.254.20.10,kube-dns", "kube-dns is neither namespace/label=value nor an address"),
    "no namespace": ("NAME_SERVERS", "k8s-app=kube-dns", "k8s-app=kube-dns is not namespace/label=value"),
    "no port": ("NAME_SERVERS", "dns/app=dns:0", "dns/app=dns:0 is not namespace/label=value, with :port if it is not 53"),
}


@pytest.mark.parametrize(("variable", "value", "words"), OF_PODS.values(), ids=OF_PODS)
def test_what_pods_cannot_be_is_named(variable: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{variable} is {value}: ")) as refused:
        read(**{variable: value})
    assert words in str(refused.value)


def test_a_variable_that_is_empty_is_not_set() -> None:
    assert read(RESTART_BACKOFF_SECONDS="").config.pace == Pace()


REFUSED = {
    "below": ("RESTART_BACKOFF_SECONDS", "0.9", "it is a number of seconds from 1 to 3600."),
    "above": ("DRAIN_SECONDS", "21", "it is a number of seconds from 0 to 20."),
    "no number": ("LOOK_AGAIN_SECONDS", "5s", "it is a number of seconds from 0.1 to 3600."),
    "not a number": ("LOOK_AGAIN_SECONDS", "nan", "it is a number of seconds from 0.1 to 3600."),
    "for ever": ("RESYNC_SECONDS", "inf", "it is a number of seconds from 1 to 86400."),
    "not whole": ("LOST_NODE_SECONDS", "0.5", "it is a whole number of seconds from 0 to 86400."),
}


@pytest.mark.parametrize(("variable", "value", "bounds"), REFUSED.values(), ids=REFUSED)
def test_a_value_out_of_bounds_is_refused_by_name_value_and_bounds(variable: str, value: str, bounds: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as refused:
        read(**{variable: value})
    assert str(refused.value) == f"{variable} is {value}: {bounds}"


LEASES = {
    "a successor before the leader has given up": ({"LEASE_DURATION_SECONDS": "10"}, "LEASE_DURATION_SECONDS must be greater"),
    "one try only": ({"LEASE_RETRY_PERIOD_SECONDS": "9"}, "LEASE_RENEW_DEADLINE_SECONDS must be greater than 1.2 times"),
}


@pytest.mark.parametrize(("variables", "sentence"), LEASES.values(), ids=LEASES)
def test_times_of_the_lease_must_fit_together(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(**variables)


def test_the_operator_ends_with_the_sentence_and_as_one_that_is_used_wrongly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs, "configure", lambda: None)  # it is for a whole process
    monkeypatch.setenv("TRAINER_IMAGE", "trainer:1")
    monkeypatch.setenv("RESTART_BACKOFF_SECONDS", "never")
    assert program.main() == 64
    assert caplog.messages == ["RESTART_BACKOFF_SECONDS is never: it is a number of seconds from 1 to 3600."]


class _Recorded(dict[str, str]):
    """An environment that knows who was asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # dict's has overloads
        self.asked.add(name)
        return super().get(name) or default


def test_the_reference_has_a_row_for_every_variable_that_is_read_and_no_other() -> None:
    environment = _Recorded(LEAST)
    Settings.from_environment(environment)
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", page(), re.MULTILINE)) == environment.asked


@pytest.mark.parametrize("port", ["http", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(ValueError, match=rf"^PORT is {port}: it is a whole number from 0 to 65535\.$"):
        read(PORT=port)
