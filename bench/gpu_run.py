"""`make run`, but with the workers of bench/gpu_worker.py."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.environment import config
from deploy import first_data, run, supervisor
from deploy.supervisor import Program

usual = supervisor.programs


def programs(*counts: Any) -> list[Program]:
    """Kefu's processes, with those workers."""
    return [_measured(kind) if kind.name == "worker" else kind for kind in usual(*counts)]


def _measured(worker: Program) -> Program:
    return replace(worker, command=["bench.gpu_worker" if part == "config" else part for part in worker.command])


def main() -> int:
    if seed := os.environ.get("KEFU_BENCH_SEED"):  # what a run elsewhere has made: readers of documents are not here
        shutil.copytree(Path(seed), config().var, dirs_exist_ok=True)
        (config().var / first_data.STAMP).write_text(first_data.inputs_hash())
    vars(supervisor).update(programs=programs)
    return run.main()


if __name__ == "__main__":
    sys.exit(main())
