"""What the README says is so: options, metrics, the tree, its links and its commands."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter

from chatbot import metrics
from config.environment import Config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def option_rows() -> list[str]:
    rows = []
    for name, field in Config.model_fields.items():
        rows.append(f"| `KEFU_{name.upper()}` | {default_of(field.default)} | {field.description} |")
    return rows


def default_of(value: object) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    shown = ",".join(value) if isinstance(value, list) else str(value).replace(f"{ROOT}/", "")
    return f"`{shown}`"


def metric_rows() -> list[str]:
    rows = []
    for metric in metrics.ALL:
        name = metric._name + ("_total" if isinstance(metric, Counter) else "")
        rows.append(f"| `{name}` | {', '.join(metric._labelnames)} | {metric._documentation} |")
    return rows


def test_every_option_has_its_row_in_the_readme() -> None:
    assert [line for line in README.splitlines() if line.startswith("| `KEFU_")] == option_rows()


def test_every_metric_has_its_row_in_the_readme() -> None:
    assert [line for line in README.splitlines() if line.startswith("| `kefu_")] == metric_rows()


@pytest.mark.parametrize("path", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_leads_to_a_file(path: str) -> None:
    assert (ROOT / path).exists(), path


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z][a-z-]*)", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


def test_the_tree_names_every_folder() -> None:
    named = set(re.findall(r"^\| `([a-z]+)/", README, re.MULTILINE))
    folders = {
        p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".") and (p / "__init__.py").exists()
    }
    assert folders <= named | {"tests"}
