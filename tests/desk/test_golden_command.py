"""`manage.py knowledge golden, calibrate, why`, and the gate, with a search that needs no model."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from desk import examination, explaining, making, services, wiring
from guardrails.personal_data.finding import Finding
from knowledge.calibrating import LEAST
from knowledge.golden import Search
from knowledge.loading import load_index
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase, Release
from knowledge.passages import Retrieved
from knowledge.retrieval import Retriever
from tests.knowledge.fakes import FakeEmbedder
from tests.knowledge.tooling import bring, tools

pytestmark = pytest.mark.django_db
FEES, RETURNS = "# Fees\n\nA parcel costs 12 yuan.\n", "# Returns\n\nSend it back within 7 days.\n"


class Found(Retriever):
    """Answers what a passage holds a word of, as sure as the share of such words."""

    def search(self, question: str, top: int = 5) -> Retrieved:
        found = super().search(question, top)
        words = question.lower().strip("?").split()
        text = " ".join(passage.text.lower() for passage in found.passages)
        sure = sum(word in text for word in words) / len(words)
        return Retrieved(
            question, found.question_vector, found.passages, sure > 0, sure, False, found.knowledge_version
        )


class Masking:
    def find(self, text: str) -> list[Finding]:
        return [Finding("CN_MOBILE", at, at + 11, 1.0) for at in [text.find("13800")] if at >= 0]


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def searcher(release: Release) -> Search:
        embedder = FakeEmbedder()
        index = load_index(release.base.slug, embedder.model_id, release.number)
        return Found(index, lambda text: embedder.embed([f"query: {text}"])[0]).search

    monkeypatch.setattr(wiring, "tools", lambda base: tools())
    monkeypatch.setattr(wiring, "masking", Masking)
    monkeypatch.setattr(examination, "searcher", searcher)
    monkeypatch.setattr(examination, "answer", lambda found: found.passages[0].text)


@pytest.fixture
def knowledge(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*arguments: str, lines: list[Any] = []) -> tuple[int, list[dict[str, Any]]]:  # noqa: B006
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        monkeypatch.setattr("desk.commands.golden.stdin_lines", lambda: io.StringIO(text))
        with pytest.raises(SystemExit) as ended:
            call_command("knowledge", *arguments, "--base", "shop")
        return int(ended.value.code or 0), [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def test_golden_questions_are_added_listed_and_dropped(knowledge: Any) -> None:
    bring(FEES)
    lines = [
        {"id": 1, "question": "parcel costs?", "facts": ["12"]},
        {"id": 2, "question": "weather?", "expects": "refusal"},
        {"id": 3, "question": "call 13800138000"},
        {"id": 4, "question": "x", "expects": "maybe"},
        {"id": 5, "question": "x", "facts": "12"},
        {"id": 6, "question": " "},
        "no json",
    ]
    status, rows = knowledge("golden", "add", lines=lines)
    assert status == 1
    assert [row.get("status", "error") for row in rows] == ["kept", "kept", *["error"] * 5]
    assert "personal data" in rows[2]["error"]
    assert [row["question"] for row in knowledge("golden", "list")[1]] == ["parcel costs?", "weather?"]
    assert knowledge("golden", "drop", "weather?")[1][0]["status"] == "dropped"
    assert knowledge("golden", "drop", "weather?")[1][0]["status"] == "unknown"


def test_publishing_examines_the_draft_and_stops_what_would_lose_an_answer(knowledge: Any) -> None:
    bring(FEES, name="fees.md")
    bring(RETURNS, name="returns.md")
    knowledge("golden", "add", lines=[{"question": "parcel costs?"}, {"question": "within days?"}])
    assert knowledge("publish")[1] == [{"status": "published", "release": 1, "documents": ["fees.md", "returns.md"]}]
    knowledge("retire", "fees.md", "--draft")
    status, [row] = knowledge("publish")
    assert (status, row["code"], row["lost"]) == (1, "lost", 1)
    status, rows = knowledge("golden", "examine")
    assert (status, rows[-1]["lost"], rows[-1]["right"]) == (1, 1, 1)
    assert [(row["question"], row["right"], row["was_right"]) for row in rows[:-1]] == [
        ("parcel costs?", False, True),
        ("within days?", True, True),
    ]
    assert knowledge("publish", "--urgent")[0] == 0
    assert knowledge("golden", "examine", "--published")[1][-1]["lost"] == 1


def test_what_comes_in_is_examined_by_the_desk_worker_and_published_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.current_app, "send_task", lambda name, **_: None)
    base = KnowledgeBase.objects.create(slug="shop", name="Shop", publishes_itself=True)
    GoldenQuestion.objects.create(base=base, question="parcel costs?")
    services.upload("shop", "fees.md", FEES.encode())
    making.work_off()
    base.refresh_from_db()
    assert base.published is not None
    assert base.published.examinations.get().right == 1
    services.upload("shop", "fees.md", b"# Fees\n\nNothing is sent.\n")
    making.work_off()
    making.work_off()
    base.refresh_from_db()
    assert base.published.number == 1
    draft = base.releases.get(state="draft")
    assert [one.lost for one in Examination.objects.filter(release=draft)] == [1]


def test_a_threshold_is_set_for_a_stated_error(knowledge: Any) -> None:
    bring(FEES, then="urgent")
    lines = [{"question": f"parcel costs {n}?", "answerable": True} for n in range(LEAST)]
    lines += [{"question": f"weather in the town {n}?", "answerable": False} for n in range(LEAST)]
    status, [row] = knowledge("calibrate", "--error", "0.05", lines=lines)
    assert (status, row["unanswerable_answered"], row["answerable_kept"]) == (0, 0.0, 1.0)
    assert 0 < KnowledgeBase.objects.get().threshold < 1  # type: ignore[operator]
    assert knowledge("calibrate", lines=lines[:3])[0] == 1
    assert knowledge("calibrate", lines=[{"question": "x"}])[0] == 1
    assert knowledge("calibrate", "--error", "2", lines=lines)[0] == 1
    knowledge("calibrate", "--reset")
    assert KnowledgeBase.objects.get().threshold is None


def test_why_tells_passages_with_scores_and_the_answer(knowledge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(FEES, then="urgent")
    release = KnowledgeBase.objects.get().published
    assert release is not None
    found = examination.searcher(release)
    monkeypatch.setattr(explaining, "found_for", lambda base, question, *_: explaining.told(found(question)))
    status, [row, wrong] = knowledge("why", lines=[{"id": 7, "question": "parcel costs?"}, {"id": 8}])
    assert (row["id"], row["answer"], row["passages"][0]["document"]) == (7, "A parcel costs 12 yuan.", "a.md")
    assert (wrong["id"], status) == (8, 1)
