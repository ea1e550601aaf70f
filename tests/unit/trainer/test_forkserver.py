"""A forked process is as a fresh one: each question is put to both, and the answers are compared."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.patience import patience
from tests.unit.trainer.forking import MODULE, ForkServer, a_server
from tests.waiting import wait_for
from trainingrun_trainer.agent.forked import Forked, Refused
from trainingrun_trainer.agent.processes import SERVER_VARIABLE, Process, Start, forked, launch, spawn
from trainingrun_trainer.forkserver.order import Order, encode, misfit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """One that starts fast."""
    with a_server(tmp_path_factory.mktemp("server"), "tests.unit.trainer.used_before") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current one, where modules are looked for first."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Running:
    """A process and its output."""

    def __init__(self, program: str, *arguments: str, server: ForkServer | None, **options: Any) -> None:
        """Start the program, forked by the server, or as a fresh process."""
        Path("program.py").write_text(program)
        self._lines, output = os.pipe()
        environment = {**os.environ, **options.pop("environment", {})}
        start = Start(module="program", arguments=arguments, environment=environment, output=output, **options)
        self.process: Process = spawn(start) if server is None else forked(start, server=server.socket)
        os.close(output)

    def end(self) -> tuple[int, str]:
        """Wait for its exit code and all that it has said."""
        deadline, said = time.monotonic() + patience(20), b""
        try:
            while select.select([self._lines], [], [], max(0.0, deadline - time.monotonic()))[0]:
                new = os.read(self._lines, 1 << 16)
                if not new:
                    return self.process.wait(patience(10)), said.decode()
                said += new
        finally:
            os.close(self._lines)
        self.process.send_signal(signal.SIGKILL)
        raise AssertionError(f"it has not ended, and said {said!r}")


def ends(program: str, *arguments: str, server: ForkServer, **options: Any) -> list[tuple[int, str]]:
    """How the program ends: forked, and as a fresh process."""
    return [Running(program, *arguments, server=each, **options).end() for each in (server, None)]


INTERRUPTED = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts tests in the background has it ignored
os.kill(os.getpid(), signal.SIGINT)
signal.pause()
"""

ENDS: dict[str, tuple[str, int]] = {
    "without a word": ("print('said')", 0),
    "with a code": ("import sys; sys.exit(3)", 3),
    "with success": ("import sys; sys.exit()", 0),
    "with a sentence": ("import sys; sys.exit('No space.')", 1),
    "with output that is not flushed": ("import sys; sys.stdout.write('half a line'); sys.exit(4)", 4),
    "at once": ("import os; print('never said', end=''); os._exit(7)", 7),
    "with what it has registered": ("import atexit; atexit.register(print, 'last')\nprint('first')", 0),
    "after its threads": ("import threading; threading.Timer(0.1, print, ['late']).start()", 0),
    "by a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    "by a signal to Python": (INTERRUPTED, -signal.SIGINT),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    "with a broken pipe": ("import os; os.write(os.open('/dev/null', os.O_RDONLY), b'x')", 1),
    "with an error": ("def fail(): raise KeyError('x')\nfail()", 1),
}


@pytest.mark.parametrize(("program", "code"), ENDS.values(), ids=ENDS)
def test_a_process_ends(server: ForkServer, folder: Path, program: str, code: int) -> None:
    mine, fresh = ends(program, server=server)
    assert mine[0] == fresh[0] == code
    if "Traceback" in fresh[1]:
        assert mine[1].splitlines()[0] == fresh[1].splitlines()[0]
        assert mine[1].splitlines()[-3:] == fresh[1].splitlines()[-3:]
    else:
        assert mine[1] == fresh[1]


WAITING = "import os, signal; os.write(1, b'here'); signal.pause()"


def waiting(server: ForkServer, program: str = WAITING) -> Running:
    """A process that has begun to wait."""
    running = Running(program, server=server)
    assert os.read(running._lines, 100) == b"here"
    return running


SURROUNDINGS = """
import gc, json, os, signal, subprocess, sys, tempfile, threading
from pathlib import Path

def opened():
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            yield descriptor, os.readlink(f"/proc/self/fd/{descriptor}").split(":")[0]
        except FileNotFoundError:
            pass

if __name__ == "__main__":
    found = dict(opened())
    named = [found.pop(int(os.environ.pop(name))) for name in ("FIRST", "SECOND")]
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "passed on": sorted(subprocess.check_output(["env"]).decode(errors="replace").splitlines()),
        "folder": os.getcwd(),
        "modules come from": sys.path,
        "named": named,
        "other descriptors": found,
        "input": sys.stdin.read(),
        "leads its session": os.getsid(0) == os.getpgid(0) == os.getpid(),
        "signals": {number: str(signal.getsignal(number)) for number in sorted(signal.valid_signals())},
        "ignored": status["SigIgn"],
        "blocked": status["SigBlk"],
        "collects garbage": gc.isenabled(),
        "temporary files": tempfile.gettempdir(),
        "threads": [threading.active_count(), threading.current_thread() is threading.main_thread(), status["Threads"]],
        "main": __import__("__main__").opened is opened,
        "buffers": sys.stdout.line_buffering,
    }))
"""


def test_a_process_has_the_surroundings_that_it_was_started_with(
    server: ForkServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"A": "b", "TMPDIR": str(folder), "ODD": os.fsdecode(b"\xff")}
    other = waiting(server)  # whose descriptors the server has, too
    monkeypatch.delenv("HOME", raising=False)
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        first, second = os.memfd_create("first"), os.memfd_create("second")
        named = {"FIRST": first, "SECOND": second}
        (_, mine), (_, fresh) = ends(SURROUNDINGS, "one", "-x", server=server, environment=environment, named=named)
    finally:
        signal.signal(signal.SIGUSR1, before)
    os.close(first)
    os.close(second)
    other.process.send_signal(signal.SIGKILL)
    other.end()
    assert json.loads(mine) == json.loads(fresh)
    found = json.loads(fresh)
    assert found["named"] == ["/memfd", "/memfd"]
    assert found["signals"][str(int(signal.SIGUSR1))] != found["signals"][str(int(signal.SIGUSR2))]
    assert (found["environment"]["A"], found["leads its session"]) == ("b", True)


CHANCE = "import random, uuid, tempfile; print(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()))"


def test_chance_is_another_in_every_process(server: ForkServer, folder: Path) -> None:
    said = {tuple(Running(CHANCE, server=server).end()[1].split()) for _ in range(3)}
    assert [len(set(column)) for column in zip(*said, strict=True)] == [3, 3, 3]


NUMBERS = """
import numpy, tensorflow, tf_keras
print(numpy.random.random(), float(tensorflow.random.uniform(())), float(tf_keras.initializers.RandomNormal()(())))
"""


def test_numbers_of_the_frameworks_are_others_in_every_process(fork_server: ForkServer, folder: Path) -> None:
    ended = [Running(NUMBERS, server=fork_server).end() for _ in range(3)]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    said = [words.splitlines()[-1].split() for _, words in ended]
    assert [len(set(column)) for column in zip(*said, strict=True)] == [3, 3, 3]


def test_a_client_reaches_its_process_and_the_group_of_it(server: ForkServer, folder: Path) -> None:
    for signal_to in (lambda one: one.send_signal(signal.SIGTERM), lambda one: os.killpg(one.pid, signal.SIGTERM)):
        running = waiting(server)
        assert running.process.poll() is None
        signal_to(running.process)
        assert running.end() == (-signal.SIGTERM, "")
        assert running.process.poll() == -signal.SIGTERM


def test_the_pid_of_a_process_that_has_ended_means_no_other_until_its_client_has_looked(
    server: ForkServer, folder: Path
) -> None:
    running = waiting(server)
    process = Path(f"/proc/{running.process.pid}")
    os.kill(running.process.pid, signal.SIGKILL)
    wait_for(lambda: process.joinpath("stat").read_text().split()[2], lambda state: state == "Z", what="its end", timeout=5)
    assert running.end()[0] == -signal.SIGKILL
    wait_for(process.exists, lambda exists: not exists, what="its burial", timeout=5, interval=0.01)


def test_a_process_lives_on_without_its_client_and_leaves_nothing(server: ForkServer, folder: Path) -> None:
    running = waiting(server)
    assert isinstance(running.process, Forked)
    running.process._connection.close()
    assert Running("print('other')", server=server).end() == (0, "other\n")
    process = Path(f"/proc/{running.process.pid}")
    assert process.exists()
    os.kill(running.process.pid, signal.SIGKILL)
    wait_for(process.exists, lambda exists: not exists, what="its burial", timeout=5, interval=0.01)
    os.close(running._lines)


def test_a_wait_has_an_end(server: ForkServer, folder: Path) -> None:
    running = waiting(server)
    assert isinstance(running.process, Forked)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(timeout=0.05)
    running.process.kill()
    assert running.end()[0] == -signal.SIGKILL


def test_many_clients_at_once_get_each_their_own(server: ForkServer, folder: Path) -> None:
    Path("program.py").write_text("import os, sys; print(os.environ['NAME']); sys.exit(int(sys.argv[1]))")
    found: dict[int, tuple[int, str]] = {}

    def ask(number: int) -> None:
        lines, output = os.pipe()
        environment = {**os.environ, "NAME": f"name {number}"}
        process = forked(Start("program", environment, output, arguments=(str(number),)), server=server.socket)
        os.close(output)
        with os.fdopen(lines) as said:
            found[number] = (process.wait(), said.read())

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(patience(30))
    assert found == {number: (number, f"name {number}\n") for number in range(24)}


@pytest.mark.parametrize("end", ["killed", "its owner has gone"])
def test_with_the_server_end_its_processes_and_their_clients_know(folder: Path, end: str) -> None:
    with a_server(folder) as mortal:
        running = waiting(mortal, WAITING.replace("signal;", "signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"))
        assert mortal.process.stdin is not None
        if end == "killed":
            mortal.process.kill()
        else:
            mortal.process.stdin.close()
        assert running.end() == (-signal.SIGKILL, "")
        assert mortal.process.wait(patience(10)) == (-signal.SIGKILL if end == "killed" else 0)
        assert mortal.socket.exists() == (end == "killed")
        with pytest.raises(Refused, match="does not answer"):
            Running(WAITING, server=mortal)


def test_a_server_that_has_not_heard_of_a_client_for_long_serves_others(server: ForkServer, folder: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as silent:
        silent.connect(str(server.socket))
        assert Running("print('served')", server=server).end() == (0, "served\n")


@pytest.mark.parametrize("message", [None, b"no JSON"])
def test_a_client_that_goes_before_it_is_answered_harms_nobody(server: ForkServer, folder: Path, message: bytes | None) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as hasty:
        hasty.connect(str(server.socket))
        if message is not None:
            hasty.send(message)
    assert Running("print('served')", server=server).end() == (0, "served\n")


NO_ORDERS = {
    "nothing": b"",
    "no JSON": b"no JSON",
    "no fields": b"{}",
    "a list": b"[]",
    "one field": b'{"module": "x"}',
    "no descriptors": encode(Order("this", (), dict(os.environ), "/")),
}


@pytest.mark.parametrize("message", NO_ORDERS.values(), ids=NO_ORDERS)
def test_what_is_no_order_is_refused_and_changes_nothing(server: ForkServer, folder: Path, message: bytes) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as odd:
        odd.connect(str(server.socket))
        odd.settimeout(patience(10))
        odd.send(message)
        assert "refused" in json.loads(odd.recv(1000))
    assert Running("print('served')", server=server).end() == (0, "served\n")


@pytest.mark.parametrize(
    ("wanted", "has", "found"),
    [
        pytest.param({"TF_X": "1"}, {"TF_X": "1"}, None, id="equal"),
        pytest.param({"TF_X": "1"}, {"TF_X": "2"}, "TF_X", id="another value"),
        pytest.param({"TF_X": "1"}, {}, "TF_X", id="only wanted"),
        pytest.param({}, {"TF_X": "1"}, "TF_X", id="only there"),
        pytest.param({"HOROVOD_RANK": "1", "OMPI_MCA_btl": "tcp"}, {"HOME": "/"}, None, id="read later"),
    ],
)
def test_a_variable_that_is_read_while_a_process_starts_must_be_the_servers(
    wanted: dict[str, str], has: dict[str, str], found: str | None
) -> None:
    assert misfit(wanted, has=has) == found


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", "LD_PRELOAD"])
def test_a_process_that_starts_with_other_variables_is_a_fresh_one(
    server: ForkServer, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, str(server.socket))
    Path("program.py").write_text("import os; print(os.getppid())")
    notes: list[str] = []
    for environment in (os.environ, {**os.environ, name: "1"}):
        lines, output = os.pipe()
        process = launch(Start("program", environment, output), note=notes.append)
        os.close(output)
        process.wait()
        with os.fdopen(lines) as said:
            parent = int(said.read().splitlines()[-1])
        assert parent == (server.process.pid if environment is os.environ else os.getpid())
    assert len(notes) == 1
    assert notes[0].startswith(f"Started as a fresh process: {name} is read while a process starts, and ")


def test_without_a_server_a_process_is_a_fresh_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    Path("program.py").write_text("")
    process = launch(Start("program", os.environ, 1), note=lambda line: pytest.fail(line))
    assert isinstance(process, subprocess.Popen)
    assert process.wait() == 0


OBSTACLES = {
    "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()": "has started threads",
    "import signal; signal.signal(signal.SIGUSR2, print)": "answers SIGUSR2",
    "import socket; kept = socket.socket()": r"keeps [0-9]+ \(socket:\[[0-9]+\]\) open",
    "def obstacle(): return 'Not after this.'": "Not after this.",
}


@pytest.mark.parametrize(("module", "sentence"), OBSTACLES.items(), ids=OBSTACLES.values())
def test_a_server_that_should_not_fork_does_not_start(folder: Path, module: str, sentence: str) -> None:
    (folder / "imported.py").write_text(module)
    command = [sys.executable, "-m", MODULE, str(folder / "socket"), "imported"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(60))
    assert done.returncode == 70
    assert done.stderr.startswith("The fork server does not start: ")
    assert re.search(sentence, done.stderr)
    assert not (folder / "socket").exists()


def test_a_server_that_has_computed_with_tensorflow_does_not_start(fork_server: ForkServer, folder: Path) -> None:
    """The one that is tested is forked itself, from one that has imported TensorFlow."""
    Path("computed.py").write_text("import tensorflow; tensorflow.constant(1) + 1")
    server = f"import runpy; runpy.run_module({MODULE!r}, run_name='__main__', alter_sys=True)"
    modules = ("trainingrun_trainer.forkserver.preloaded", "computed")
    code, said = Running(server, str(folder / "socket"), *modules, server=fork_server).end()
    assert (code, "An operation of TensorFlow has already run." in said) == (70, True)
