"""deploy.bound: a program ends with the process that started it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import deploy.bound
from tests.patience import PATIENCE

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], "sleep", "600"], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


def test_a_killed_parent_takes_its_program_along() -> None:
    command = [sys.executable, "-c", PARENT, deploy.bound.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        descriptor = os.pidfd_open(child)
        while "sleep" not in Path(f"/proc/{child}/comm").read_text():
            assert not select.select([descriptor], [], [], 0.01)[0]
        parent.send_signal(signal.SIGKILL)
        assert select.select([descriptor], [], [], PATIENCE)[0], "the child goes on"
        os.close(descriptor)
