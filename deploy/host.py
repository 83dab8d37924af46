"""What this machine is and has: platform, Python, disk, NVIDIA card, PyTorch's CPU index. Standard library only.

Each check returns None when all is well, else one line that says what to do; it must run on any Python 3.8+.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import threading
import urllib.request
from pathlib import Path

PYTHONS = ((3, 13), (3, 12), (3, 11))
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def platform_line(system: str, machine: str) -> str | None:
    """Whether the packages exist for `platform.system()`, `platform.machine()`."""
    if system == "Linux" and machine in ("x86_64", "AMD64"):
        return None
    if system == "Darwin":
        return "Kefu runs on Linux x86-64, not on macOS: start it in a Linux x86-64 virtual machine or server."
    if system == "Windows":
        return "Kefu runs on Linux x86-64, not on Windows: start it inside WSL 2 (wsl --install)."
    if system == "Linux":
        return f"Kefu runs on x86-64, not on {machine}, for which some packages have no wheels: use an x86-64 machine."
    return f"Kefu runs on Linux x86-64, not on {system} {machine}: use such a machine."


def python_line(version: tuple[int, int]) -> str | None:
    """Whether this Python can run Kefu."""
    if version in PYTHONS:
        return None
    found = ".".join(map(str, version))
    return (
        f"Kefu needs Python 3.11, 3.12 or 3.13, not {found}: install one and run: make PYTHON=/path/to/python3.12 run"
    )


def other_python() -> str | None:
    """The first python3.13, 3.12 or 3.11 on PATH that really runs."""
    for major, minor in PYTHONS:
        path = shutil.which(f"python{major}.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    return None


def disk_line(folder: Path, needed: int, free: int | None = None) -> str | None:
    """Whether `folder`'s disk has `needed` bytes (free: bytes, measured when None)."""
    free = shutil.disk_usage(folder).free if free is None else free
    if free >= needed:
        return None
    return f"{folder} has {gigabytes(free)} free and needs {gigabytes(needed)}: free some space and run this again."


def gigabytes(count: int) -> str:
    """Bytes for people, in GB."""
    return f"{count / 1e9:.1f} GB"


def has_nvidia() -> bool:
    """Whether an NVIDIA driver serves a card here."""
    return Path("/dev/nvidiactl").exists() or bool(shutil.which("nvidia-smi"))


def index_answers(url: str, seconds: float = 2.0) -> bool:
    """Whether a package index answers, name look-up included, within `seconds`."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(f"{url}/torch/", timeout=seconds) as reply:  # noqa: S310 (a constant https address)
                if reply.status == 200:
                    answered.set()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            asked.set()

    asked = threading.Event()
    # A look-up of a name can hang for longer than urlopen's time-out, so the thread may outlive the answer.
    threading.Thread(target=ask, daemon=True).start()
    asked.wait(seconds)
    return answered.is_set()
