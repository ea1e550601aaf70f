"""Ed25519 keys, made by the ssh-keygen of the image."""

import subprocess
from pathlib import Path


def make_key(path: Path) -> str:
    """Make a key without passphrase at `path`, readable by its owner alone; returns its public half: type and base64.

    Raises OSError when that cannot be done.
    """
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"ssh-keygen cannot make a key at {path}: {done.stderr.strip() or done.stdout.strip()}")
    return path.with_name(f"{path.name}.pub").read_text().strip()
