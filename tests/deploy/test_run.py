"""deploy.run: the parts that decide where Kefu listens and what its processes get."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import Config
from deploy.run import (
    CannotStart,
    Place,
    child_environment,
    children,
    client_host,
    embedded_redis,
    end_leftover,
    end_strays,
    host_name,
    reserve_port,
    show_addresses,
    tail,
)
from tests.patience import PATIENCE


def options(**values: object) -> Config:
    return Config.model_validate(values)


def test_two_clones_get_ports_of_their_own() -> None:
    with reserve_port(options()) as one, reserve_port(options()) as two:
        assert one.getsockname()[1] != two.getsockname()[1]


def test_a_port_on_which_others_listen_is_refused_with_the_names_of_the_variables() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(CannotStart, match="KEFU_PORT"):
        reserve_port(options(port=other.getsockname()[1]))


def test_an_address_that_is_not_of_this_machine_is_refused_with_the_names_of_the_variables() -> None:
    with pytest.raises(CannotStart, match=r"KEFU_HOST=192\.0\.2\.1"):
        reserve_port(options(host="192.0.2.1"))


def test_webs_processes_may_share_the_reserved_port() -> None:
    from deploy.web import listener

    with reserve_port(options()) as reserved:
        port = reserved.getsockname()[1]
        with listener("127.0.0.1", port) as one, listener("127.0.0.1", port) as two:
            one.listen()
            two.listen()
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()


@pytest.mark.parametrize(
    ("host", "allowed", "name"),
    [
        ("127.0.0.1", "localhost,127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "localhost,127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "shop.example", "shop.example"),
        ("::1", "localhost,[::1]", "[::1]"),
        ("127.0.0.1", "*", "127.0.0.1"),
        ("192.0.2.7", ".shop.example", "192.0.2.7"),
    ],
)
def test_the_name_shown_is_one_that_web_answers_to(host: str, allowed: str, name: str) -> None:
    assert host_name(options(host=host, allowed_hosts=allowed)) == name


def test_a_wildcard_address_is_reached_through_the_loopback() -> None:
    assert [client_host(host) for host in ("0.0.0.0", "::", "10.0.0.1")] == ["127.0.0.1", "::1", "10.0.0.1"]


@pytest.mark.parametrize(
    ("engine", "model", "offline"),
    [
        ("extractive", "", True),
        ("transformers", "smollm2", True),
        ("transformers", "/", True),
        ("transformers", "someone/some-model", False),
    ],
)
def test_the_hub_is_only_asked_for_models_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, model: str, offline: bool
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    place = Place(tmp_path, tmp_path, "127.0.0.1", 8000, "localhost")
    variables = child_environment(options(engine=engine, model=model), place)
    assert ("HF_HUB_OFFLINE" in variables) == offline


def test_every_process_learns_the_port_and_the_socket_and_what_the_person_tuned_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    place = Place(tmp_path, tmp_path / "run", "127.0.0.1", 8123, "localhost")
    variables = child_environment(options(), place)
    assert variables["KEFU_PORT"] == "8123"
    assert variables["KEFU_REDIS_URL"] == f"unix://{tmp_path}/run/redis.sock"
    assert variables["OMP_NUM_THREADS"] == "3"


def test_a_redis_that_does_not_answer_is_named_before_anything_starts(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path, "127.0.0.1", 8000, "localhost")
    with pytest.raises(CannotStart, match="KEFU_REDIS_URL"):
        embedded_redis(options(redis_url=f"unix://{tmp_path}/nobody.sock"), place)


def test_a_process_that_now_has_the_number_of_an_old_supervisor_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        (tmp_path / "supervisor.pid").write_text(str(other.pid))
        end_leftover(tmp_path / "supervisor.pid")
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("content", [None, "", "no number", "99999999"])
def test_a_damaged_or_stale_pid_file_is_ignored(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "supervisor.pid").write_text(content)
    end_leftover(tmp_path / "supervisor.pid")


def test_what_still_runs_of_an_earlier_run_is_ended(tmp_path: Path) -> None:
    code = "import time, sys; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "supervisord.conf")]) as old:
        while str(tmp_path).encode() not in Path(f"/proc/{old.pid}/cmdline").read_bytes():
            pass
        (tmp_path / "supervisor.pid").write_text(str(old.pid))
        end_leftover(tmp_path / "supervisor.pid")
        assert old.wait(PATIENCE) != 0


def test_strays_are_killed_and_the_one_to_keep_is_not() -> None:
    mine = set(children())
    keep, stray = subprocess.Popen(["sleep", "60"]), subprocess.Popen(["sleep", "60"])
    assert {keep.pid, stray.pid} <= set(children())
    if not mine:  # under a test runner with children of its own only the listing can be shown
        end_strays(keep.pid)
        assert not Path(f"/proc/{stray.pid}").exists()
        assert keep.poll() is None
    for process in (keep, stray):
        process.kill()
        process.wait()


def test_the_end_of_a_log_is_shown_and_a_missing_log_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("\n".join(map(str, range(100))))
    assert tail(tmp_path / "web.log", lines=2) == "98\n99"
    assert "none.log" in tail(tmp_path / "none.log")


def test_a_run_that_cannot_start_says_one_line(tmp_path: Path) -> None:
    variables = os.environ | {"KEFU_VAR": str(tmp_path), "KEFU_REDIS_SERVER": "/nowhere/redis-server"}
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-m", "deploy.run"], cwd=root, env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert "KEFU_REDIS_SERVER: /nowhere/redis-server is not an executable file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_address_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, tmp_path, "127.0.0.1", 8000, "localhost")
    place.run.mkdir()
    written: list[str] = []
    write = Path.write_text

    def noted(file: Path, text: str) -> int:
        written.append(file.name)
        return write(file, text)

    monkeypatch.setattr(Path, "write_text", noted)
    show_addresses(place, [])
    assert (place.run / "address").read_text() == place.site
    assert written
    assert "address" not in written, "while it is being written it would be there, and empty"
