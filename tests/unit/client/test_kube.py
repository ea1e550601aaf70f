"""Where the cluster is, and who one is there."""

import stat
from pathlib import Path

import pytest
import yaml

from tests.unit.client.api_server import serving
from trainingrun.client import UnreachableError
from trainingrun.client.kube import KubeCluster
from trainingrun.client.port import RUN


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_program_of_a_kubeconfig_logs_in(tmp_path: Path, version: str) -> None:
    program = tmp_path / "login"
    answer = '{"status": {"token": "from-the-program"}}'
    program.write_text(f"#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO\" > {tmp_path}/asked\necho '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    user = {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}", "command": str(program)}}
    with serving(tmp_path, user=user) as (store, kubeconfig):
        cluster = KubeCluster(kubeconfig=kubeconfig)
        cluster.list(RUN)
        cluster.close()
        assert store.headers[0]["Authorization"] == "Bearer from-the-program"
    assert ("client.authentication.k8s.io/v1" in (tmp_path / "asked").read_text()) == (version == "v1")


def test_a_context_is_found_in_any_file_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    for name in ("one", "two"):
        config = {
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": f"http://{name}:1"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"in-{name}"}}],
            "users": [{"name": name, "user": {"token": name}}],
        }
        files.append(tmp_path / name)
        files[-1].write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, files)))
    for context, namespace in ((None, "in-one"), ("two", "in-two")):
        cluster = KubeCluster(context=context)
        assert cluster.namespace == namespace
        cluster.close()
    with pytest.raises(UnreachableError, match=r"there is no context three in .*one, .*two"):
        KubeCluster(context="three")


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"No cluster is known: .*missing.* --kubeconfig, \$KUBECONFIG or --context"):
        KubeCluster(kubeconfig=tmp_path / "missing")
