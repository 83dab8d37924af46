"""deploy.bootstrap: what it decides before anything is installed, and that the pins hold together."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from deploy import bootstrap

ROOT = bootstrap.ROOT


def names(file: str) -> dict[str, str]:
    """Package name (normalised) → the line that asks for it."""
    lines = [line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[=<>;~! ]", line)[0]).lower(): line for line in lines if line}


def test_every_package_that_is_asked_for_is_pinned() -> None:
    pinned = names("constraints.txt")
    assert set(names("requirements.txt")) | set(names("requirements-dev.txt")) <= set(pinned)
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pinned.values())


def test_torch_has_one_version_everywhere() -> None:
    assert names("requirements.txt")["torch"] == names("constraints.txt")["torch"] == bootstrap.TORCH


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_packages_come_from_the_configured_index_and_no_other_place(file: str) -> None:
    assert not re.search(r"://|--index|--find-links|file:| @ ", (ROOT / file).read_text())


def test_a_changed_pin_or_more_packages_make_another_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / file).write_text("a==1\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    run, development = bootstrap.stamp(False), bootstrap.stamp(True)
    assert run != development
    (tmp_path / "requirements-dev.txt").write_text("a==2\n")
    assert bootstrap.stamp(False) == run
    assert bootstrap.stamp(True) != development
    (tmp_path / "constraints.txt").write_text("a==2\n")
    assert bootstrap.stamp(False) != run


def test_a_stamped_venv_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for what was installed nor for less; for more it is."""
    for file in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (tmp_path / file).write_text("")
    python = tmp_path / "python"
    python.write_text("")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "PYTHON", python)

    def touched() -> None:
        raise bootstrap.Stop("touched")

    monkeypatch.setattr(bootstrap, "make_venv", touched)
    (tmp_path / "kefu-stamps").write_text(bootstrap.stamp(False))
    bootstrap.install(development=False)
    with pytest.raises(bootstrap.Stop, match="touched"):
        bootstrap.install(development=True)
    (tmp_path / "kefu-stamps").write_text(bootstrap.stamp(True))
    bootstrap.install(development=False)
    bootstrap.install(development=True)


def test_without_venv_and_virtualenv_the_debian_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.Stop, match=r"apt-get install python3\.\d+-venv"):
        bootstrap.make_venv()


def test_virtualenv_stands_in_for_a_missing_ensurepip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    called: list[list[str]] = []

    def run(command: list[str], **options: object) -> object:
        called.append(command)
        return type("Done", (), {"returncode": 0})()

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    bootstrap.make_venv()
    assert called[0][1:3] == ["-m", "virtualenv"]


def test_another_platform_stops_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.platform, "system", lambda: "Darwin")
    with pytest.raises(bootstrap.Stop, match="macOS"):
        bootstrap.prepare("run", all_models=False)


def test_a_full_disk_stops_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "PACKAGES", 10**18)
    with pytest.raises(bootstrap.Stop, match="free"):
        bootstrap.install(development=False)
    assert not (tmp_path / ".venv").exists()


OPTIONAL = {"pymilvus", "rapidocr"}
"""Asked for by who wants them (README); whoever imports them says so when they are not there."""


def imported(*folders: str) -> dict[str, Path]:
    """Foreign modules (their first name) → a file that imports it."""
    found: dict[str, Path] = {}
    own = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            found |= {module.split(".")[0]: file for module in modules}
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names | own | OPTIONAL}


@pytest.mark.parametrize(
    ("folders", "files"),
    [
        (
            [
                "api",
                "attachments",
                "chatbot",
                "config",
                "console",
                "desk",
                "guardrails",
                "knowledge",
                "understanding",
                "deploy",
            ],
            ["requirements.txt"],
        ),
        (["tests", "bench"], ["requirements.txt", "requirements-dev.txt"]),
    ],
)
def test_every_package_that_is_imported_is_asked_for(folders: list[str], files: list[str]) -> None:
    """Not only brought along by another package, which may stop to need it."""
    asked = {name for file in files for name in names(file)}
    packages = importlib.metadata.packages_distributions()
    missing = {}
    for module, file in imported(*folders).items():
        makers = {re.sub(r"[-_.]+", "-", maker).lower() for maker in packages.get(module, [module])}
        if not makers & asked:
            missing[module] = f"{file.relative_to(ROOT)}: {makers}"
    assert not missing
