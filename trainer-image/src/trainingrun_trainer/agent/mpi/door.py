"""The sshd of a worker, through which worker 0's mpirun starts Open MPI's daemon, and nothing else.

It runs as the user of the pod, who may neither change users nor root directories, so it needs no privileges.
"""

import sys
from pathlib import Path

from trainingrun_trainer.agent.helper import Helper
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.mpi import orted_only
from trainingrun_trainer.agent.mpi.slots import SOCKET_VARIABLE

SSHD = Path("/usr/sbin/sshd")


def sshd_config(folder: Path, *, address: str, port: int, socket: Path) -> str:
    """One way in, for one key, to one command. Pure.

    Modes of folders are not checked: a volume's root belongs to root and is open to the pod's only user and to nobody else.
    """
    return f"""\
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
DisableForwarding yes
PermitTTY no
PermitTunnel no
PermitUserRC no
PermitUserEnvironment no
MaxAuthTries 1
MaxSessions 1
UseDNS no
PrintMotd no
SetEnv {SOCKET_VARIABLE}={socket}
ForceCommand {sys.executable} -I -S {orted_only.__file__}
"""


class Door:
    """A running sshd."""

    def __init__(self, folder: Path, *, address: str, port: int, socket: Path, key: str, logbook: Logbook) -> None:
        """The host key is in the folder; `key` is the public key that may enter."""
        (folder / "authorized_keys").write_text(f"restrict {key}\n")
        config = folder / "sshd_config"
        config.write_text(sshd_config(folder, address=address, port=port, socket=socket))
        self._sshd = Helper("sshd", [str(SSHD), "-D", "-e", "-f", str(config)], environment={}, logbook=logbook)

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._sshd.has_said("Server listening on")

    def ended(self) -> str | None:
        """How sshd has ended, or None while it runs."""
        return self._sshd.ended()

    def close(self) -> None:
        """Let nobody in any more; those who are stay."""
        self._sshd.end()
