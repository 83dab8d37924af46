"""Starts Kefu and stays up: `python -m deploy.run` (or `make run`). Whatever ends it, all that it started ends with it.

It starts one supervisor, which starts redis, web, worker and desk worker; asks a question in each language; waits.
"""

import contextlib
import ctypes
import http.client
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from django.core.exceptions import ImproperlyConfigured
from websockets.exceptions import WebSocketException

from config.environment import ROOT, Config, config
from deploy import first_data, sample, supervisor
from deploy.bound import bind
from deploy.locks import Held, locked
from deploy.redis_server import find_server, server_command, socket_folder
from deploy.web import listener

READY_SECONDS = 300
STOP_SECONDS = 10.0
PR_SET_CHILD_SUBREAPER = 36
SITE_KEY = "demo"


class CannotStart(Exception):
    """Kefu cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where this run keeps its files and where it listens. `name` is the host name that web answers to."""

    var: Path
    sockets: Path
    host: str
    port: int
    name: str

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def logs(self) -> Path:
        return self.var / "logs"

    @property
    def metrics(self) -> Path:
        return self.var / "metrics"

    @property
    def site(self) -> str:
        return f"http://{self.name}:{self.port}"


def main() -> int:
    started = time.monotonic()
    os.umask(0o077)  # what Kefu writes is for its own user
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if "MAKELEVEL" in os.environ:
        bind(signal.SIGTERM)  # a killed make must not leave Kefu behind
    # What loses its parent becomes this process' child, so that it can be found and ended.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        options = config()
        var = options.var.resolve()
        with locked(var / "run.lock", None):
            return run(options, var, started)
    except Held:
        file = var / "run" / "address"
        address = file.read_text() if file.exists() else "it is starting"
        print(f"Kefu already runs on {var}: {address} (to run another one beside it: KEFU_VAR=…)", file=sys.stderr)
    except (CannotStart, FileNotFoundError, ImproperlyConfigured) as error:
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 0
    return 1


def run(options: Config, var: Path, started: float) -> int:
    """The whole life of one run; returns the exit status."""
    end_leftover(var / "run" / "supervisor.pid")
    reserved = reserve_port(options)
    sockets = socket_folder(var / "run")
    place = Place(var, sockets, options.host, reserved.getsockname()[1], host_name(options))
    process: subprocess.Popen[bytes] | None = None
    try:
        environment = child_environment(options, place)
        redis_command = embedded_redis(options, place)
        accounts = load_first_data(environment)
        process = start_supervisor(options, place, redis_command, environment)
        wait_until_ready(place, process)
        show_samples(place)
        print(f"\nSample answers after {time.monotonic() - started:.1f} s.\n")
        show_addresses(place, accounts)
        watch(place, process)
        print(f"The supervisor has ended; the end of its log:\n{tail(place.logs / 'supervisor.log')}", file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop(process)
        reserved.close()
        (place.run / "address").unlink(missing_ok=True)
        if sockets != place.run:
            shutil.rmtree(sockets, ignore_errors=True)


def end_leftover(pid_file: Path) -> None:
    """Ends the supervisor of a run that was killed, should it still be at its own clearing up."""
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(pid_file.read_text())
        # The number may have been given to another process since.
        if str(pid_file.parent).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
            descriptor = os.pidfd_open(pid)
            select.select([descriptor], [], [], STOP_SECONDS)
            os.close(descriptor)


def reserve_port(options: Config) -> socket.socket:
    """A bound socket that keeps the port for web's processes, which share it. CannotStart when others listen there."""
    try:
        if options.port:
            with socket.create_server((options.host, options.port), family=family(options.host)):
                pass
        return listener(options.host, options.port)
    except OSError as error:
        address = f"KEFU_HOST={options.host} KEFU_PORT={options.port}"
        raise CannotStart(f"{address}: {error.strerror}; choose others, or unset KEFU_PORT for a free one") from None


def family(host: str) -> socket.AddressFamily:
    """IPv6 for addresses with a colon."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def host_name(options: Config) -> str:
    """A name that web answers to and that leads to this machine from itself."""
    names = [name for name in options.allowed_hosts if "*" not in name and not name.startswith(".")]
    shown = f"[{options.host}]" if ":" in options.host else options.host
    return shown if shown in names or not names else "127.0.0.1" if "127.0.0.1" in names else names[0]


def child_environment(options: Config, place: Place) -> dict[str, str]:
    """What every process of Kefu gets; what the person set themselves wins over the tuning values."""
    local_model = "transformers" not in options.engine or options.model == "smollm2" or Path(options.model).is_dir()
    tuning = {
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **({"HF_HUB_OFFLINE": "1"} if local_model else {}),
    }
    fixed = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "KEFU_VAR": str(place.var),
        "KEFU_MODELS": str(options.models.resolve()),
        "KEFU_HOST": place.host,
        "KEFU_PORT": str(place.port),
        "KEFU_REDIS_URL": options.redis_url or f"unix://{place.sockets / 'redis.sock'}",
        "PROMETHEUS_MULTIPROC_DIR": str(place.metrics),
        "PYTHONUNBUFFERED": "1",
    }
    return tuning | dict(os.environ) | fixed


def embedded_redis(options: Config, place: Place) -> list[str] | None:
    """The embedded server's command line; None when KEFU_REDIS_URL names another, which must answer."""
    if not options.redis_url:
        return server_command(find_server(options.redis_server), place.sockets / "redis.sock", place.run)
    try:
        redis.Redis.from_url(options.redis_url, socket_connect_timeout=3, socket_timeout=3).ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(f"KEFU_REDIS_URL: {error}; start that redis, or unset this for the embedded one") from None
    return None


def load_first_data(environment: dict[str, str]) -> list[tuple[str, str]]:
    """Migrates and loads the demo when anything changed; the staff accounts that this made, with their passwords."""
    if first_data.is_done():
        return []
    print("Preparing the database and the demo documents …", flush=True)
    command = [sys.executable, "-m", "deploy.first_data"]
    unmetered = {name: value for name, value in environment.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    done = subprocess.run(command, cwd=ROOT, env=unmetered, capture_output=True, text=True)
    if done.returncode:
        raise CannotStart(
            f"{done.stderr[-3000:]}\nThe database or the demo documents could not be prepared (see above)"
        )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    for line in lines:
        if line[0] == "documents":
            print(f"  {line[1]}", flush=True)
    return [(line[1], line[2]) for line in lines if line[0] == "account"]


def start_supervisor(
    options: Config, place: Place, redis_command: list[str] | None, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    """Starts supervisord, which ends, with all its children, when this process ends."""
    for folder in (place.run, place.logs):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place.metrics, ignore_errors=True)  # counters of processes that are gone
    place.metrics.mkdir()
    cores = (os.cpu_count() or 1) if "transformers" in options.engine else 1
    kinds = supervisor.programs(
        redis_command, options.web_processes, options.worker_threads, cores, options.worker_processes
    )
    file = place.run / "supervisord.conf"
    file.write_text(supervisor.configuration(ROOT, place.run, place.logs, place.sockets, kinds))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65536)), hard))  # one a customer's socket
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(file)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process; the supervisor is then ended in order
        preexec_fn=lambda: bind(signal.SIGTERM),
    )


def wait_until_ready(place: Place, process: "subprocess.Popen[bytes]") -> None:
    """Returns when /readyz answers 200; CannotStart, with the end of the log at fault, when it never will."""
    print("Starting redis, web, worker and desk worker …", flush=True)
    deadline, said = time.monotonic() + READY_SECONDS, "web does not answer"
    pids: dict[str, set[int]] = {}
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(client_host(place.host), place.port, timeout=5)
            connection.request("GET", "/readyz", headers={"Host": f"{place.name}:{place.port}"})
            reply = connection.getresponse()
            said = reply.read().decode(errors="replace").strip()
            if reply.status == 200:
                return
        for state in supervisor.states(place.sockets / "supervisor.sock"):
            pids.setdefault(state.name, set()).update({state.pid} - {0})
            if state.state == "FATAL" or len(pids[state.name]) > 2:
                log = place.logs / f"{state.name}.log"
                raise CannotStart(f"{tail(log)}\n\n{state.name} does not stay up (the end of {log} is above).")
        try:
            process.wait(0.1)
            raise CannotStart(f"{tail(place.logs / 'supervisor.log')}\n\nThe supervisor does not start (see above).")
        except subprocess.TimeoutExpired:
            pass
    logs = "\n".join(f"{name}.log:\n{tail(place.logs / f'{name}.log')}" for name in ("web", "worker"))
    raise CannotStart(f"{logs}\n\nKefu is not ready after {READY_SECONDS} s: {said[:400]} (ends of logs above)")


def client_host(host: str) -> str:
    """Where to reach a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def show_samples(place: Place) -> None:
    """Asks one question a language and prints the answers as they stream in."""
    for language, question in sample.QUESTIONS:
        asks, says = ("问", "答") if language == "zh" else ("Q", "A")
        print(f"\n{asks}: {question}\n{says}: ", end="", flush=True)
        address = f"ws://{place.name}:{place.port}/ws/chat/"
        try:
            for piece in sample.ask(address, place.site, SITE_KEY, language, question):
                if isinstance(piece, str):
                    print(piece.replace("\r", "\n(instead) "), end="", flush=True)
                    continue
                print(f"\n   {piece.outcome}: first text {piece.first_text_ms:.0f} ms, whole {piece.whole_ms:.0f} ms")
                for source in piece.sources:
                    print(f"   {source}")
        except (OSError, WebSocketException) as error:
            log = tail(place.logs / "worker.log")
            raise CannotStart(f"{log}\n\nThe sample question got no answer: {error or type(error)}") from None


def show_addresses(place: Place, accounts: list[tuple[str, str]]) -> None:
    """Prints where everything is."""
    whole = place.run / "address.new"
    whole.write_text(place.site)
    whole.replace(place.run / "address")  # who waits for it reads all of it
    print(f"Kefu is up:\n  demo page  {place.site}/\n  staff      {place.site}/staff/")
    print(f"  admin      {place.site}/admin/")
    print(f"  metrics    {place.site}/metrics")
    print(f"  logs       {place.logs}")
    for name, password in accounts:
        print(f"  account    {name}  password {password}  (shown only this once)")
    if not accounts:
        print("  accounts   admin, agent; make password NAME=admin sets a new password")
    print("Ctrl-C stops it.", flush=True)


def watch(place: Place, process: "subprocess.Popen[bytes]") -> None:
    """Returns when the supervisor has ended. Until then clears up after processes of Kefu that were killed."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
            return
        end_strays(process.pid)
        for file in place.metrics.glob("gauge_live*_*.db"):  # else a killed process' open sockets are counted for ever
            if not Path("/proc", file.stem.rsplit("_", 1)[-1]).exists():
                file.unlink(missing_ok=True)


def stop(process: "subprocess.Popen[bytes] | None") -> None:
    """Ends the supervisor, which ends its processes in order; then whatever is still there."""
    if process and process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS - 1)
    end_strays()


def end_strays(but: int = 0) -> None:
    """Kills this process' children, which are those that lost their parents, except `but`; then those that they had."""
    while strays := [pid for pid in children() if pid != but]:
        for pid in strays:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def children() -> list[int]:
    """The process ids of this process' children, zombies included."""
    return [int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log, as far as there are any."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else f"(no {log})"


if __name__ == "__main__":
    sys.exit(main())
