"""`python3 -m cluster`: the cluster from the command line."""

import argparse
import subprocess
import sys
from pathlib import Path

import images
from cluster import Cluster, ClusterError, binaries, connect
from images.cache import cache_folder


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0, or 1 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        _run(options, connect(kind=options.kind, name=options.name))
    except ClusterError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the same command goes on from here, and `down` cleans up.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m cluster", description=__doc__)
    parser.add_argument("--kind", choices=["embedded", "kind", "existing"], help="default: $CLUSTER, else embedded")
    parser.add_argument("--name", help="default: $CLUSTER_NAME, else trainingrun")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("build", "build the programs of an embedded cluster"),
        ("up", "start the cluster, or repair it"),
        ("down", "stop it and remove all that it left on the machine, its volumes included"),
        ("status", "show its components"),
        ("kubeconfig", "print the path of its kubeconfig"),
        ("kubectl", "print the path of its kubectl"),
    ):
        commands.add_parser(name, help=text)
    load = commands.add_parser("load", help="make a local image known to the nodes")
    load.add_argument("image", type=Path, help="Docker archive, as `docker save` or `make images` writes it")
    logs = commands.add_parser("logs", help="print the log of a component")
    logs.add_argument("component")
    logs.add_argument("-f", "--follow", action="store_true")
    volume = commands.add_parser("volume", help="make a volume for a claim")
    volume.add_argument("claim")
    volume.add_argument("--namespace", default="default")
    volume.add_argument("--size", default="10Gi")
    return parser


def _run(options: argparse.Namespace, cluster: Cluster) -> None:
    match options.command:
        case "build":
            binaries.ensure(cache_folder())
        case "up":
            cluster.up()
            print(f"{cluster.name} is up: export KUBECONFIG={cluster.kubeconfig()}")
        case "down":
            cluster.down()
            images.tidy()
        case "status":
            for component, state in cluster.status():
                print(f"{component:20} {state}")
        case "kubeconfig":
            print(cluster.kubeconfig())
        case "kubectl":
            print(cluster.kubectl())
        case "load":
            cluster.load(options.image)
        case "logs":
            _print_log(cluster.logs(options.component), follow=options.follow)
        case "volume":
            cluster.volume(claim=options.claim, namespace=options.namespace, size=options.size)


def _print_log(path: Path, *, follow: bool) -> None:
    subprocess.run(["tail", *(["-F"] if follow else []), "-n", "+1", str(path)], check=False)


if __name__ == "__main__":
    sys.exit(main())
