"""deploy.prepare_models: a model folder appears whole, checked and stamped, or not at all."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import prepare_models
from deploy.prepare_models import E5_SMALL, SMOLLM2, Recipe, is_ready, prepare, wants_smollm2

RECIPE = Recipe("tiny", "smollm2", ("one", "two"), "no-such-package", "a test", 0)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []

    def run_step(recipe: Recipe, step: str, folder: Path) -> None:
        done.append(step)
        (folder / step).write_text("made")

    monkeypatch.setattr(prepare_models, "run_step", run_step)
    return done


def test_a_folder_is_made_step_by_step_and_stamped(tmp_path: Path, steps: list[str]) -> None:
    assert not is_ready(RECIPE, tmp_path)
    prepare(RECIPE, tmp_path)
    assert steps == ["one", "two"]
    assert is_ready(RECIPE, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"tiny"}


def test_a_failing_step_leaves_neither_folder_nor_rubbish_and_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    prepare(RECIPE, tmp_path)

    def fail(recipe: Recipe, step: str, folder: Path) -> None:
        sys.exit("the step failed")

    monkeypatch.setattr(prepare_models, "run_step", fail)
    with pytest.raises(SystemExit):
        prepare(RECIPE, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"tiny"}
    assert (tmp_path / "tiny" / "two").exists()


def test_what_a_killed_preparation_left_is_removed(tmp_path: Path, steps: list[str]) -> None:
    (tmp_path / ".tiny-abc").mkdir()
    prepare(RECIPE, tmp_path)
    assert not (tmp_path / ".tiny-abc").exists()


def test_a_folder_of_another_version_is_not_ready(tmp_path: Path, steps: list[str]) -> None:
    prepare(RECIPE, tmp_path)
    (tmp_path / "tiny" / "kefu.json").write_text('{"version": "older"}')
    assert not is_ready(RECIPE, tmp_path)


def test_a_step_that_fails_shows_its_words_and_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="models/tiny: the step nonsense failed"):
        prepare_models.run_step(RECIPE, "nonsense", tmp_path)
    assert "KeyError" in capfd.readouterr().err


@pytest.mark.parametrize("recipe", [E5_SMALL, SMOLLM2])
def test_a_recipe_names_the_steps_of_its_module(recipe: Recipe) -> None:
    module = importlib.import_module(f"deploy.{recipe.module}")
    assert all(callable(getattr(module, step)) for step in recipe.steps)


@pytest.mark.parametrize(
    ("engine", "model", "wanted"),
    [
        ("", "", False),
        ("extractive", "smollm2", False),
        ("transformers", "smollm2", True),
        ("transformers", "", True),
        ("transformers", "/some/folder", False),
    ],
)
def test_the_language_model_is_made_only_for_who_uses_it(engine: str, model: str, wanted: bool) -> None:
    assert wants_smollm2(engine, model) == wanted


def test_deciding_that_nothing_is_to_do_needs_no_package(tmp_path: Path) -> None:
    """It is asked at every start, before anything else."""
    code = "import sys, deploy.prepare_models; sys.exit(bool({'numpy', 'torch', 'django'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=prepare_models.ROOT).returncode == 0
