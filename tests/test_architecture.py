"""Imports point one way, and the pure core knows no framework."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = {"django", "channels", "celery", "kombu", "redis"}
HEAVY = {"torch", "transformers", "sentence_transformers"}
FRAMED = {
    "admin",
    "apps",
    "examining",
    "editing",
    "importing",
    "lists",
    "loading",
    "models",
    "overview",
    "purging",
    "radar_services",
    "releases",
    "selectors",
    "services",
    "stages",
    "vault",
}
"""What guardrails, knowledge and understanding have besides their pure core."""
PURE = {
    "chatbot/appearance.py",
    "chatbot/engines",
    "chatbot/hours.py",
    "chatbot/language.py",
    "chatbot/pipeline.py",
    "chatbot/protocol.py",
    "chatbot/by_rule.py",
    "chatbot/sources.py",
    "chatbot/traditional.py",
    "chatbot/turn.py",
    "chatbot/users.py",
    "chatbot/wording.py",
    "console/protocol.py",
    "desk/contacts.py",
    "desk/past_dates.py",
    "desk/radar.py",
    "desk/statements.py",
}
MAY_IMPORT_TORCH = {
    "chatbot/engines/transformers_engine.py",
    "guardrails/guard_model/model.py",
    "knowledge/embedding.py",
    "knowledge/reranking.py",
    "understanding/intents/transformer.py",
    "understanding/sentiment/cnn_training.py",
}
NEVER = {
    "guardrails": {"knowledge", "chatbot", "attachments", "console", "desk", "api", "rooms", "understanding"},
    "knowledge": {"guardrails", "chatbot", "attachments", "console", "desk", "api", "rooms", "understanding"},
    "understanding": {"guardrails", "knowledge", "chatbot", "attachments", "console", "desk", "api", "rooms"},
    "attachments": {"knowledge", "chatbot", "console", "desk", "api", "rooms"},
    "chatbot": {"console", "desk", "api", "rooms"},
    "console": {"desk", "api", "rooms"},
    "desk": {"api", "rooms"},
    "api": {"rooms"},
}


def modules() -> list[Path]:
    return [
        path
        for app in (
            "api",
            "attachments",
            "chatbot",
            "console",
            "desk",
            "guardrails",
            "knowledge",
            "rooms",
            "understanding",
        )
        for path in sorted((ROOT / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_pure(path: Path) -> bool:
    if path.relative_to(ROOT).parts[0] in ("guardrails", "knowledge", "understanding"):
        return "management" not in path.parts and path.stem not in FRAMED
    return any(str(path.relative_to(ROOT)).startswith(pure) for pure in PURE)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    app = path.relative_to(ROOT).parts[0]
    roots = {name.split(".")[0] for name in imported(path)}
    edge = "management" in path.parts
    assert not roots & NEVER.get(app, set())
    if app in ("guardrails", "knowledge", "understanding", "attachments") and not edge:
        assert "config" not in roots
    if is_pure(path):
        assert not roots & FRAMEWORKS
    if str(path.relative_to(ROOT)) not in MAY_IMPORT_TORCH:
        assert not roots & HEAVY


def test_services_and_selectors_know_no_edge() -> None:
    edges = {
        "chatbot.consumers",
        "chatbot.tasks",
        "chatbot.views",
        "chatbot.admin",
        "chatbot.wiring",
        "chatbot.worker_wiring",
    }
    for stem in ("services", "selectors", "answering", "sweeping", "publishing", "pulse", "events"):
        assert not set(imported(ROOT / "chatbot" / f"{stem}.py")) & edges, stem


def test_the_pipeline_knows_no_framework_and_no_wiring() -> None:
    roots = set(imported(ROOT / "chatbot" / "pipeline.py"))
    assert not {name.split(".")[0] for name in roots} & (FRAMEWORKS | HEAVY)
    assert not roots & {
        "chatbot.wiring",
        "chatbot.worker_wiring",
        "chatbot.services",
        "chatbot.models",
        "config.environment",
    }


def test_what_web_asks_of_the_desk_loads_no_model() -> None:
    assert not set(imported(ROOT / "desk" / "services.py")) & {"desk.wiring", "desk.making", "chatbot.worker_wiring"}


def test_only_settings_and_edges_read_the_configuration() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in [*modules(), *(ROOT / "config").glob("*.py")]
        if "config.environment" in set(imported(path)) and "management" not in path.parts
    }
    assert readers == {"chatbot/wiring.py", "chatbot/worker_wiring.py", "config/settings.py"}
