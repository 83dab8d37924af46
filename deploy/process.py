"""Becomes one of Kefu's processes: `python -m deploy.process web|worker|desk`. What a container starts.

The same commands as the supervisor's, so that a process is what it is wherever it runs.
"""

import os
import sys

from config.environment import config
from deploy.supervisor import Program, programs


def program(name: str) -> Program | None:
    """The program of that name with this configuration; None when there is none."""
    options = config()
    cores = (os.cpu_count() or 1) if "transformers" in options.engine else 1
    kinds = programs(None, 1, options.worker_threads, cores)
    return next((kind for kind in kinds if kind.name == name), None)


def main() -> None:
    found = program(sys.argv[1]) if len(sys.argv) == 2 else None
    if found is None:
        sys.exit("usage: python -m deploy.process web|worker|desk")
    os.umask(0o077)  # what Kefu writes is for its own user
    os.execve(found.command[0], found.command, os.environ | found.environment)  # noqa: S606


if __name__ == "__main__":
    main()
