"""Compose, the Dockerfile, the examples and the options agree. No engine runs here: Compose itself reads the files
(`docker-compose config`), and what they name must exist.
"""

import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser

from config.environment import SECRETS, Config
from deploy import health, process
from deploy.supervisor import programs

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "deploy" / "docker"
EXAMPLES = sorted((DOCKER / "examples").glob("*.env"))
BIN = Path(sys.executable).parent
OPTIONS = {f"KEFU_{name.upper()}" for name in Config.model_fields}
COMPOSE_ALONE = {"KEFU_VERSION", "KEFU_PUBLISH", "KEFU_SECRETS", "COMPOSE_PROFILES"}
"""Variables of docker-compose.yml that are no options of Kefu."""

ENGINE = {"ENGINE_MODEL", "ENGINE_NAME", "ENGINE_FLAGS", "ENGINE_GPUS", "ENGINE_MODELS", "ENGINE_SHM", "ENGINE_MEMORY"}
IMAGE_ENVIRONMENT = {
    "postgres": {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD_FILE"},
    "vllm": {"ENGINE_MODEL", "ENGINE_NAME", "ENGINE_FLAGS", "KEFU_ENGINE_MODEL"},
}
OURS = {"web", "worker", "desk", "migrate", "processes"}
LISTENING = {"web": 8000, "vllm": 8000}
HEALTH = ("web", "worker", "desk")

QUANTIZATIONS = {"bitsandbytes", "fp8", "awq_marlin", "gptq_marlin", "compressed-tensors"}
FLAGS: dict[str, str] = {
    "--quantization": "|".join(QUANTIZATIONS),
    "--dtype": "auto|bfloat16|float16",
    "--kv-cache-dtype": "auto|fp8",
    "--max-model-len": r"\d+",
    "--max-num-seqs": r"\d+",
    "--max-num-batched-tokens": r"\d+",
    "--gpu-memory-utilization": r"0\.\d+",
    "--tensor-parallel-size": r"\d+",
    "--pipeline-parallel-size": r"\d+",
    "--max-loras": r"\d+",
    "--max-lora-rank": "8|16|32|64",
    "--lora-modules": r"\w+=/models/\S+",
    "--served-model-name": r"\S+",
    "--host": r"0\.0\.0\.0",
    "--port": "8000",
    "--enable-lora": "",
    "--enable-expert-parallel": "",
    "--enable-prefix-caching": "",
    "--disable-uvicorn-access-log": "",
}
"""Options of `vllm serve` and their values, as vLLM 0.25.1's vllm/engine/arg_utils.py and
vllm/entrypoints/openai/cli_args.py have them; a further one is looked up there first."""


@cache
def written() -> dict[str, Any]:
    """docker-compose.yml as YAML."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return read


@cache
def resolved(env_file: Path | None = None, folder: Path = ROOT) -> dict[str, Any]:
    """What Compose makes of it: every service, everything filled in."""
    arguments = ["--env-file", str(env_file)] if env_file else []
    done = subprocess.run(
        [BIN / "docker-compose", *arguments, "--profile", "gpu", "config", "--format", "json", "--no-path-resolution"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "KEFU_ALLOWED_HOSTS": "chat.example"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = resolved()["services"]
    return found


@cache
def stages() -> dict[str, dict[str, list[str]]]:
    """The Dockerfile's instructions by stage; a stage has those of the stage that it is made from, too."""
    found: dict[str, dict[str, list[str]]] = {}
    mine: dict[str, list[str]] = {}
    for one in DockerfileParser(str(DOCKER / "Dockerfile")).structure:
        name, value = one["instruction"], one["value"]
        if name == "FROM":
            base, _, stage = value.partition(" AS ")
            mine = found[stage] = {key: list(values) for key, values in found.get(base, {}).items()}
            mine.setdefault("FROM", []).append(base)
        elif name != "COMMENT":
            mine.setdefault(name, []).append(value)
    return found


def environment_of(stage: str) -> dict[str, str]:
    """What a stage's ENV instructions set."""
    return dict(pair.split("=", 1) for line in stages()[stage].get("ENV", []) for pair in shlex.split(line))


def config_of(stage: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Config:
    """What a container of that stage reads, given what Compose sets."""
    for name in OPTIONS:
        monkeypatch.delenv(name, raising=False)
    for name, value in (environment_of(stage) | settings).items():
        monkeypatch.setenv(name, value)
    return Config()


def example(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def flags_of(words: list[str]) -> Iterator[tuple[str, str]]:
    """Each option with its value, "" for one that takes none."""
    rest = iter(words)
    for word in rest:
        assert word.startswith("--"), word
        assert word in FLAGS, f"{word}: look it up in vLLM's options first"
        yield word, next(rest) if FLAGS[word] else ""


def test_compose_accepts_the_file_with_and_without_each_example() -> None:
    assert set(services()) == OURS | {"redis", "postgres", "vllm"}
    for file in EXAMPLES:
        assert resolved(file)["services"]["worker"]["environment"]["KEFU_ENGINE"] == "openai"


def test_it_refuses_to_start_without_the_host_names_that_it_serves() -> None:
    done = subprocess.run(
        [BIN / "docker-compose", "config", "--quiet"], cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True
    )
    assert done.returncode != 0
    assert b"KEFU_ALLOWED_HOSTS" in done.stderr


def test_the_dockerfile_pleases_its_linter() -> None:
    done = subprocess.run([BIN / "hadolint", DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_gpu_is_needed_by_nothing_but_the_profile() -> None:
    profiles = {name: one.get("profiles", []) for name, one in services().items()}
    assert {name for name, some in profiles.items() if some} == {"vllm"}
    assert profiles["vllm"] == ["gpu"]
    devices = services()["vllm"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"capabilities": ["gpu"], "driver": "nvidia", "count": 1}]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_process_starts_with_what_compose_makes_of_an_example(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = example(file)
    for name in (*HEALTH, "migrate"):
        settings = resolved(file)["services"][name]["environment"]
        options = config_of("web" if name == "migrate" else name, settings, monkeypatch)
        assert (options.engine, options.engine_url) == (["openai"], values["KEFU_ENGINE_URL"])
        assert options.engine_model == values["KEFU_ENGINE_MODEL"]
        assert (options.production, options.allowed_hosts) == (True, ["chat.example"])
    engine = resolved(file)["services"]["vllm"]["environment"]
    assert {name: engine[name] for name in engine.keys() & values.keys()} == {
        name: values[name] for name in engine.keys() & values.keys()
    }
    assert engine["KEFU_ENGINE_MODEL"] == values["KEFU_ENGINE_MODEL"]


@pytest.mark.parametrize(
    ("env", "kefu", "wanted"),
    [
        ("", "", (["extractive"], 32, 0)),
        ("", "KEFU_ENGINE=extractive,openai\nKEFU_WORKER_THREADS=7", (["extractive", "openai"], 7, 0)),
        ("KEFU_WORKER_THREADS=9", "KEFU_WORKER_THREADS=7\nKEFU_VAULT_DAYS=30", (["extractive"], 9, 30)),
        ("KEFU_VAULT_DAYS=30", "", (["extractive"], 32, 0)),  # not one that is passed on
    ],
)
def test_options_count_in_kefu_env_and_those_that_are_passed_on_in_env_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    env: str,
    kefu: str,
    wanted: tuple[list[str], int, int],
) -> None:
    (tmp_path / "deploy" / "docker").mkdir(parents=True)
    for name in ("docker-compose.yml", "deploy/docker/passed.env"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".env").write_text(env)
    (tmp_path / "kefu.env").write_text(f"KEFU_ENGINE_URL=http://engine/v1\nKEFU_ENGINE_MODEL=m\n{kefu}\n")
    settings = resolved(folder=tmp_path)["services"]["worker"]["environment"]
    options = config_of("worker", settings, monkeypatch)
    assert (options.engine, options.worker_threads, options.vault_days) == wanted


# --- names


def test_what_is_passed_on_are_options_without_a_value() -> None:
    lines = (DOCKER / "passed.env").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} <= OPTIONS - set(written()["x-kefu"]["environment"])


def test_every_variable_is_an_option_of_kefu_or_known_to_compose() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert used <= OPTIONS | ENGINE | COMPOSE_ALONE
    assert used >= ENGINE


@pytest.mark.parametrize("name", sorted(OURS - {"processes"} | set(IMAGE_ENVIRONMENT)))
def test_every_name_in_an_environment_is_one_that_the_image_reads(name: str) -> None:
    known = IMAGE_ENVIRONMENT.get(name, OPTIONS | {"PROMETHEUS_MULTIPROC_DIR"})
    assert set(services()[name]["environment"]) <= known


def test_every_option_in_the_image_is_one_of_kefu() -> None:
    for stage in HEALTH:
        assert {name for name in environment_of(stage) if name.startswith("KEFU_")} <= OPTIONS


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_name_in_an_example_is_known(file: Path) -> None:
    values = example(file)
    assert set(values) <= OPTIONS | ENGINE | COMPOSE_ALONE
    assert (values["COMPOSE_PROFILES"], values["KEFU_ENGINE"]) == ("gpu", "openai")
    assert values["KEFU_ENGINE_URL"] == f"http://vllm:{LISTENING['vllm']}/v1"


def test_every_secret_that_kefu_reads_is_an_option_and_read_from_its_file(tmp_path: Path) -> None:
    assert {name.upper() for name in resolved()["secrets"]} - OPTIONS == {"POSTGRES_PASSWORD"}
    for name in HEALTH:
        for secret in services()[name]["secrets"]:
            assert Path(secret["target"]) == SECRETS / secret["source"]
    (tmp_path / "kefu_secret_key").write_text("from a file\n")
    assert Config(_secrets_dir=tmp_path).secret_key == "from a file"  # type: ignore[call-arg]


# --- images, targets, commands


def test_every_base_image_is_pinned_by_its_version() -> None:
    bases = {base for stage in stages().values() for base in stage["FROM"] if base not in stages()}
    images = {one["image"] for name, one in services().items() if "build" not in one}
    for image in bases | images:
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?[\w.-]*", image), image
    assert {base.split(":")[0] for base in bases} == {"python", "vllm/vllm-openai"}


def test_python_is_one_that_kefu_runs_on() -> None:
    from deploy.host import PYTHONS

    found = re.fullmatch(r"python:(\d+)\.(\d+)\..*", stages()["python"]["FROM"][0])
    assert found is not None
    assert (int(found[1]), int(found[2])) in PYTHONS


def test_every_service_of_ours_is_built_from_a_stage_of_the_dockerfile() -> None:
    for name in OURS | {"vllm"}:
        build = services()[name]["build"]
        assert (ROOT / build["dockerfile"]).is_file()
        assert build["target"] in stages()
        assert services()[name]["image"] == f"kefu-{build['target']}:local"


def test_what_the_dockerfile_copies_is_there_and_not_ignored() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    for stage in stages().values():
        for line in stage.get("COPY", []):
            *sources, _ = [word for word in line.split() if not word.startswith("--")]
            if "--from=" in line:
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source not in ignored


def test_the_packages_are_installed_with_what_is_copied_before(tmp_path: Path) -> None:
    for line in stages()["packages"]["COPY"]:
        *sources, target = line.split()
        (tmp_path / target).mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.copy(ROOT / source, tmp_path / target)
    assert stages()["packages"]["RUN"] == ["python -m deploy.bootstrap install"]
    done = subprocess.run([sys.executable, "-m", "deploy.bootstrap"], cwd=tmp_path, capture_output=True, text=True)
    assert "usage" in done.stderr


def test_the_models_are_made_by_functions_that_there_are() -> None:
    (code,) = re.findall(r'-c "([^"]+)"', " ".join(stages()["models"]["RUN"]))
    for module, names in re.findall(r"from ([\w.]+) import ([\w, ]+);", code):
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name), name
    compile(code, "models", "exec")


def test_no_key_and_no_data_gets_into_an_image() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {"var", "secrets", "*.env", ".git", ".venv", "models"} <= set(ignored)
    local = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")]
    assert set(local) <= set(ignored)


@pytest.mark.parametrize("name", HEALTH)
def test_a_container_starts_what_the_supervisor_starts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(stages()[name]["CMD"][-1]) == ["python", "-m", "deploy.process", name]
    (wanted,) = [kind for kind in programs(None, 1, Config().worker_threads, 1) if kind.name == name]
    assert process.program(name) == wanted


@pytest.mark.parametrize("name", [*HEALTH, "vllm"])
def test_every_image_of_ours_says_how_it_is(name: str) -> None:
    (check,) = stages()[name]["HEALTHCHECK"]
    command = json.loads(check[check.index("[") :])
    if name == "vllm":
        assert "http://127.0.0.1:8000/health" in command[-1]
        compile(command[-1], name, "exec")
    else:
        assert command == ["python", "-m", "deploy.health", name]


def test_redis_and_postgres_say_how_they_are_where_they_listen() -> None:
    redis, postgres = services()["redis"], services()["postgres"]
    socket = redis["command"][redis["command"].index("--unixsocket") + 1]
    assert redis["healthcheck"]["test"] == ["CMD", "redis-cli", "-s", socket, "ping"]
    assert environment_of("worker")["KEFU_REDIS_URL"] == f"unix://{socket}"
    assert {postgres["environment"][name] for name in ("POSTGRES_USER", "POSTGRES_DB")} <= set(
        postgres["healthcheck"]["test"]
    )


def test_only_what_runs_once_or_only_sleeps_has_no_health() -> None:
    disabled = {name for name, one in services().items() if one.get("healthcheck", {}).get("disable")}
    assert disabled == {"migrate", "processes"}


def test_ports_are_those_that_the_processes_listen_on() -> None:
    assert environment_of("web")["KEFU_PORT"] == str(LISTENING["web"])
    for name, port in LISTENING.items():
        assert stages()[name]["EXPOSE"] == [str(port)]
    published = {name: one["ports"] for name, one in services().items() if one.get("ports")}
    assert list(published) == ["web"]
    (port,) = published["web"]
    assert (port["target"], port["host_ip"], port["published"]) == (8000, "127.0.0.1", "8000")


# --- what a container may do


@pytest.mark.parametrize("name", sorted(OURS | {"redis", "postgres", "vllm"}))
def test_no_container_has_root_or_may_write_where_it_should_not(name: str) -> None:
    one = services()[name]
    user = int(one["user"].split(":")[0])
    assert user > 0
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert one["read_only"] is True
    assert "privileged" not in one
    assert one["restart"] in ("unless-stopped", "on-failure")
    if "build" in one:
        assert stages()[one["build"]["target"]]["USER"] == [f"{user}:{user}"]
    assert not any("docker.sock" in str(volume) for volume in one.get("volumes", []))


@pytest.mark.parametrize("name", sorted(OURS | {"redis", "postgres", "vllm"}))
def test_every_container_has_an_end_to_memory_processes_and_log(name: str) -> None:
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert int(limits["memory"]) >= 32 * 2**20
    assert limits["pids"] > 0
    assert services()[name]["logging"]["options"].keys() == {"max-size", "max-file"}


def test_what_kefu_writes_lies_on_volumes_of_its_user() -> None:
    made = " ".join(stages()["kefu"]["RUN"])
    for name in HEALTH:
        mounts = {volume["target"] for volume in services()[name]["volumes"]}
        environment = environment_of(name)
        wanted = {environment["KEFU_VAR"], environment["PROMETHEUS_MULTIPROC_DIR"], "/run/kefu/redis"}
        assert mounts == wanted
        assert all(f" {mount}" in made for mount in mounts)
    assert stages()["kefu"]["VOLUME"] == [environment_of("kefu")["KEFU_VAR"]]
    for name in ("redis", "metrics"):
        assert "uid=10001" in written()["volumes"][name]["driver_opts"]["o"]


def test_the_volumes_of_the_services_are_declared() -> None:
    used = {
        volume["source"]
        for one in services().values()
        for volume in one.get("volumes", [])
        if volume["type"] == "volume"
    }
    assert used == set(written()["volumes"])


def test_only_web_is_reached_from_outside_and_only_it_reaches_out() -> None:
    assert written()["networks"]["back"] == {"internal": True}
    networks = {name: set(one.get("networks", {})) for name, one in services().items()}
    assert {name for name, some in networks.items() if "front" in some} == {"web"}
    assert services()["redis"]["network_mode"] == services()["processes"]["network_mode"] == "none"


def test_metrics_of_all_processes_are_one_because_their_process_ids_are() -> None:
    assert {name for name, one in services().items() if one.get("pid") == "service:processes"} == set(HEALTH)
    assert services()["processes"]["init"] is True
    shared = environment_of("web")["PROMETHEUS_MULTIPROC_DIR"]
    assert services()["migrate"]["environment"]["PROMETHEUS_MULTIPROC_DIR"] != shared


def test_nothing_starts_before_the_database_is_migrated() -> None:
    for name in HEALTH:
        needs = services()[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["redis"]["condition"] == needs["postgres"]["condition"] == "service_healthy"
    assert services()["migrate"]["command"] == ["python", "manage.py", "migrate", "--noinput"]
    assert services()["desk"]["deploy"]["replicas"] == 1


def test_no_secret_stands_in_a_file_of_the_project() -> None:
    for secret in resolved()["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert not (ROOT / "secrets").exists() or "/secrets/" in (ROOT / ".gitignore").read_text()
    text = "".join(file.read_text() for file in (ROOT / "docker-compose.yml", DOCKER / "Dockerfile", *EXAMPLES))
    assert not re.search(r"(?i)(?:password|_key|token)\s*[:=]\s*[\"']?\w", text)


# --- vLLM


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_flags_of_an_example_are_vllms_own_and_fit_each_other(file: Path) -> None:
    values = example(file)
    flags = dict(flags_of(values["ENGINE_FLAGS"].split()))
    for flag, value in flags.items():
        assert re.fullmatch(FLAGS[flag], value), (flag, value)
    cards = int(flags.get("--tensor-parallel-size", 1)) * int(flags.get("--pipeline-parallel-size", 1))
    assert cards == int(values.get("ENGINE_GPUS", 1))
    assert ("--lora-modules" in flags) == ("--enable-lora" in flags)
    served = {values.get("ENGINE_NAME") or values["KEFU_ENGINE_MODEL"]}
    served |= {module.split("=")[0] for module in [flags.get("--lora-modules", "")] if module}
    assert values["KEFU_ENGINE_MODEL"] in served
    assert values["ENGINE_MODEL"].startswith("/models/")
    assert "--trust-remote-code" not in flags
    if "--enable-expert-parallel" in flags:
        assert cards > 1
    if "DeepSeek-V2" not in values["ENGINE_MODEL"]:
        assert int(flags["--max-model-len"]) <= 4096  # DeepSeek-LLM-7B's positions


def test_the_examples_show_each_way_of_making_a_model_smaller_and_wider() -> None:
    flags = " ".join(example(file)["ENGINE_FLAGS"] for file in EXAMPLES)
    for wanted in ("bitsandbytes", "fp8", "awq_marlin", "--max-num-seqs", "--tensor-parallel-size", "--lora-modules"):
        assert wanted in flags
    assert any("--pipeline-parallel-size" in file.read_text() for file in EXAMPLES)


def test_vllm_is_started_with_its_own_flags(tmp_path: Path) -> None:
    fake = tmp_path / "vllm"
    fake.write_text('#!/bin/sh\nfor one; do echo "$one"; done\n')
    fake.chmod(0o755)
    values = {"KEFU_ENGINE_MODEL": "m", "ENGINE_MODEL": "/models/m", "ENGINE_FLAGS": "--max-num-seqs 8 --enable-lora"}
    done = subprocess.run(
        ["sh", DOCKER / "vllm.sh"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"} | values,
        capture_output=True,
        text=True,
    )
    command, model, *rest = done.stdout.splitlines()
    assert (command, model) == ("serve", "/models/m")
    flags = dict(flags_of(rest))
    assert all(re.fullmatch(FLAGS[flag], value) for flag, value in flags.items())
    assert flags["--served-model-name"] == "m"
    assert {"--enable-prefix-caching", "--enable-lora"} <= set(flags)


def test_vllm_does_not_start_without_a_model() -> None:
    done = subprocess.run(["sh", DOCKER / "vllm.sh"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode != 0
    assert "ENGINE_MODEL" in done.stderr


# --- the two modules that containers run


def test_no_other_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.program("redis") is None
    for arguments in ([], ["redis"], ["web", "desk"]):
        monkeypatch.setattr(sys, "argv", ["process", *arguments])
        with pytest.raises(SystemExit, match="usage"):
            process.main()
        monkeypatch.setattr(sys, "argv", ["health", *arguments])
        with pytest.raises(SystemExit, match="usage"):
            health.main()
