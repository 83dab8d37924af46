"""A Kefu of its own for benches and integration tests: `make run` in a temporary folder, its processes to be killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import supervisor

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600
# All customers of a bench come from one address to one site.
ONE_ADDRESS = {
    f"KEFU_{name}": "1000000"
    for what in ("MESSAGES", "HELLOS", "CONVERSATIONS")
    for name in (f"{what}_PER_MINUTE_IP", f"{what}_PER_MINUTE_SITE")
} | {"KEFU_WAITING_SOCKETS_PER_IP": "10000"}


@dataclass(frozen=True)
class Server:
    """A running Kefu. `pid` is the process below which all others are."""

    var: Path
    address: str
    pid: int
    sockets: Path
    environment: Mapping[str, str]

    @property
    def socket_url(self) -> str:
        return f"ws{self.address.removeprefix('http')}/ws/chat/"

    def command(self, *arguments: str) -> str:
        """Run a management command on this Kefu and return what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        run = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True)
        return run.stdout

    def pids(self) -> dict[str, int]:
        """Return the process ids by name: redis, web, worker, desk."""
        return {state.name: state.pid for state in supervisor.states(self.sockets / "supervisor.sock")}

    def kill(self, name: str) -> None:
        """Kill a process as the kernel would."""
        pid = self.pids()[name]
        if pid:  # 0: it is just being started again
            os.kill(pid, signal.SIGKILL)


@contextmanager
def running(options: Mapping[str, str] | None = None, module: str = "deploy.run") -> Iterator[Server]:
    """Start Kefu by that module and yield it once its sample questions are answered; its output goes to the folder's
    run.log.

    No answer is kept unless the options say so: every question costs what it costs.
    """
    with tempfile.TemporaryDirectory(prefix="kefu-") as folder:
        var = Path(folder)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KEFU_") or k == "KEFU_MODELS"}
        for foreign in ("MAKELEVEL", "DJANGO_SETTINGS_MODULE"):  # of the make and the tests around it
            environment.pop(foreign, None)
        environment |= {"KEFU_VAR": folder, "KEFU_CACHE_HOURS": "0", **ONE_ADDRESS, **(options or {})}
        with (var / "run.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            address = var / "run" / "address"
            deadline = time.monotonic() + START_SECONDS
            while not address.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"Kefu did not start:\n{(var / 'run.log').read_text()[-4000:]}")
                time.sleep(0.1)
            yield Server(var, address.read_text().strip(), process.pid, var / "run", environment)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
