"""deploy.supervisor: the configuration, read by supervisord's own parser."""

from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.supervisor import Program, configuration, programs, section, states


def read(folder: Path, kinds: list[Program]) -> ServerOptions:
    """What supervisord makes of the configuration."""
    file = folder / "supervisord.conf"
    file.write_text(configuration(folder, folder, folder, folder, kinds))
    options = ServerOptions()
    options.realize(["--configuration", str(file)])
    return options


def test_kefu_is_redis_web_worker_and_desk(tmp_path: Path) -> None:
    options = read(tmp_path, programs(["redis-server"], web_processes=2, worker_threads=32, worker_cores=1))
    names = {group.name: [process.name for process in group.process_configs] for group in options.process_group_configs}
    assert sorted(names["kefu"]) == ["desk", "web_0", "web_1", "worker"]
    assert names["redis"] == ["redis"]


def test_no_two_workers_bear_the_same_name(tmp_path: Path) -> None:
    options = read(tmp_path, programs(None, 1, 32, 1, worker_processes=3))
    commands = [process.command for group in options.process_group_configs for process in group.process_configs]
    workers = [command for command in commands if "turns,judging" in command]
    assert [f"worker{n}@%h" in command for n, command in enumerate(workers)] == [True] * 3


def test_redis_starts_before_the_others_and_ends_after_them(tmp_path: Path) -> None:
    options = read(tmp_path, programs(["redis-server"], 1, 32, 1))
    priority = {group.name: group.priority for group in options.process_group_configs}
    assert priority["redis"] < priority["kefu"]


def test_another_redis_is_not_supervised() -> None:
    assert [program.name for program in programs(None, 1, 32, 1)] == ["web", "worker", "desk"]


def test_every_process_is_restarted_and_ends_with_its_children(tmp_path: Path) -> None:
    options = read(tmp_path, programs(["redis-server"], 1, 32, 1))
    for process in (process for group in options.process_group_configs for process in group.process_configs):
        assert process.autorestart
        assert process.stopasgroup
        assert process.killasgroup
        assert process.stopwaitsecs < 10
        assert "bound.py" in process.command
        assert process.stdout_logfile_maxbytes > 0


def test_the_desk_worker_never_sees_a_gpu_and_alone_has_the_beat(tmp_path: Path) -> None:
    kinds = {program.name: program for program in programs(None, 1, 32, 1)}
    assert kinds["desk"].environment == {"CUDA_VISIBLE_DEVICES": ""}
    assert "CUDA_VISIBLE_DEVICES" not in kinds["worker"].environment
    assert ["--beat" in program.command for program in kinds.values()] == [False, False, True]
    options = read(tmp_path, list(kinds.values()))
    (desk,) = [p for group in options.process_group_configs for p in group.process_configs if p.name == "desk"]
    assert desk.environment == {"CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize("argument", ["plain", "a b", "desk@%h", "50%", "it's", "深圳"])
def test_arguments_reach_the_process_as_they_are(tmp_path: Path, argument: str) -> None:
    import shlex

    options = read(tmp_path, [Program("web", ["/bin/echo", argument])])
    (process,) = [p for group in options.process_group_configs for p in group.process_configs]
    assert shlex.split(process.command)[-2:] == ["/bin/echo", argument]


def test_empty_values_are_left_out() -> None:
    assert section("name", a="1", b="") == "[name]\na = 1\n"


def test_a_supervisor_that_does_not_answer_has_no_states(tmp_path: Path) -> None:
    assert states(tmp_path / "nobody.sock") == []
