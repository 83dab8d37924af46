"""Runs a program that ends with the process that started it: `python -IS deploy/bound.py PROGRAM ARGUMENT…`.

Linux kills it when its parent dies, however that happens: a killed supervisor leaves nothing. Standard library only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def bind(signal_number: int = signal.SIGKILL) -> None:
    """Has the kernel send this process `signal_number` when its parent ends. It outlives an exec, not a fork."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was told
        os.kill(os.getpid(), signal_number)


if __name__ == "__main__":
    bind()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
