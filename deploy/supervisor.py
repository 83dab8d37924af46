"""Which processes Kefu consists of, as the text of a supervisord configuration, and how to ask supervisord of them."""

import re
import shlex
import sys
import xmlrpc.client
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

STOP_SECONDS = 7
LOG_BYTES, LOG_FILES = 10_000_000, 3


@dataclass(frozen=True)
class Program:
    """One kind of process: `command` is run `processes` times with `environment` on top of the supervisor's own."""

    name: str
    command: list[str]
    processes: int = 1
    environment: dict[str, str] = field(default_factory=dict)


def programs(
    redis: list[str] | None, web_processes: int, worker_threads: int, worker_cores: int, worker_processes: int = 1
) -> list[Program]:
    """Kefu's processes; `redis` is the embedded server's command line, None when another redis is used.

    worker_cores: OpenMP threads of one computation in the worker: 1, or more where a language model runs in it.
    """
    worker = "worker" if worker_processes == 1 else "worker%(process_num)d"  # no two may bear the same name
    celery = [sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel", "INFO", "--pool", "threads"]
    # One worker a queue and host: talk among workers would cost redis traffic and say nothing.
    celery += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    desk = ["--concurrency", "4", "--queues", "desk,sweep", "--hostname", "desk@%h"]
    beat = ["--beat", "--scheduler", "celery.beat:Scheduler"]
    return [
        *([Program("redis", redis)] if redis else []),
        Program("web", [sys.executable, "-m", "deploy.web"], web_processes),
        Program(
            "worker",
            [*celery, "--concurrency", str(worker_threads), "--queues", "turns,judging", "--hostname", f"{worker}@%h"],
            worker_processes,
            environment={"OMP_NUM_THREADS": str(worker_cores)},
        ),
        Program("desk", [*celery, *desk, *beat], environment={"CUDA_VISIBLE_DEVICES": ""}),
    ]


def configuration(root: Path, run: Path, logs: Path, sockets: Path, kinds: list[Program]) -> str:
    """The text of supervisord.conf. redis is a group of its own, so that it ends after those who talk to it."""
    bound = [sys.executable, "-I", "-S", str(root / "deploy" / "bound.py")]
    rest = ",".join(kind.name for kind in kinds if kind.name != "redis")
    sections = [
        section(
            "supervisord",
            nodaemon="true",
            silent="true",
            directory=str(root),
            logfile=str(logs / "supervisor.log"),
            logfile_maxbytes=str(LOG_BYTES),
            logfile_backups=str(LOG_FILES),
            pidfile=str(run / "supervisor.pid"),
            childlogdir=str(logs),
            identifier="kefu",
            minfds="256",
        ),
        section("unix_http_server", file=str(sockets / "supervisor.sock"), chmod="0700"),
        section("supervisorctl", serverurl=f"unix://{sockets / 'supervisor.sock'}"),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        section("group:kefu", programs=rest, priority="20"),
    ]
    for kind in kinds:
        sections.append(
            section(
                f"program:{kind.name}",
                command=shlex.join([*bound, *kind.command]),
                numprocs=str(kind.processes),
                process_name="%(program_name)s" + ("_%(process_num)d" if kind.processes > 1 else ""),
                environment=",".join(f'{name}="{value}"' for name, value in kind.environment.items()),
                priority="10" if kind.name == "redis" else "20",
                autorestart="true",
                startsecs="2",
                # Each try waits a second longer: thirty make eight minutes, enough to outlive a redis that is away.
                startretries="30",
                stopwaitsecs=str(STOP_SECONDS),
                stopasgroup="true",
                killasgroup="true",
                redirect_stderr="true",
                stdout_logfile=str(logs / f"{kind.name}{'_%(process_num)d' if kind.processes > 1 else ''}.log"),
                stdout_logfile_maxbytes=str(LOG_BYTES),
                stdout_logfile_backups=str(LOG_FILES),
            )
        )
    return "\n".join(sections)


def section(name: str, **values: str) -> str:
    """One section; empty values are left out. A `%` that is none of supervisord's own `%(…)s` is doubled."""
    lines = [f"{key} = {re.sub('%(?![(])', '%%', value)}\n" for key, value in values.items() if value]
    return f"[{name}]\n" + "".join(lines)


@dataclass(frozen=True)
class State:
    """What the supervisor says of one process."""

    name: str
    state: str
    pid: int


def states(socket: Path) -> list[State]:
    """All processes; empty while the supervisor does not answer."""
    transport = SupervisorTransport(None, None, f"unix://{socket}")
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport) as proxy:
            processes: Any = proxy.supervisor.getAllProcessInfo()
            return [State(process["name"], process["statename"], process["pid"]) for process in processes]
    except (OSError, xmlrpc.client.Error):
        return []
