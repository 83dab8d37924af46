"""Levels in the database: steps, the way back, and what is recorded."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails.classification.classifier import Thresholds
from guardrails.levels import TASKS, Levelled, Levels, moved, refused, services
from guardrails.levels.services import LevelError
from guardrails.live import Live
from guardrails.models import LevelChange

pytestmark = pytest.mark.django_db


def step(task: Levelled, review: float, block: float = 0.0, why: str = "test") -> Levels:
    """Move the live levels of a task by so much."""
    now = services.load().of(task, services.shipped(task))
    return services.apply({task: moved(now, now.review + review, now.block + block)}, who="ada", why=why)


def live(task: Levelled) -> Thresholds:
    return services.load().of(task, services.shipped(task))


def test_before_any_step_the_shipped_levels_are_live() -> None:
    assert services.load() == Levels()
    assert services.newest() == 0


def test_a_step_is_live_at_once_and_leaves_the_other_task_alone() -> None:
    levels = step("toxicity", 0.03)
    assert levels == services.load()
    assert (levels.version, services.newest()) == (1, 1)
    assert live("toxicity").review == pytest.approx(services.shipped("toxicity").review + 0.03, abs=5e-4)
    assert live("toxicity").block == services.shipped("toxicity").block
    assert live("injection") == services.shipped("injection")
    assert step("injection", -0.02).version == 2
    assert live("toxicity").review == levels.thresholds["toxicity"].review


def test_every_change_says_who_made_it_and_why() -> None:
    step("toxicity", 0.03, why="half of the queue is approved")
    services.rollback(0, who="bob", why="too much passed")
    found = [(c.action, c.version, c.who, c.why) for c in services.history()]
    assert found == [
        ("rollback", 0, "bob", "too much passed"),
        ("apply", 1, "ada", "half of the queue is approved"),
    ]


@pytest.mark.parametrize("why", ["", "  ", "x" * 501])
def test_nothing_changes_without_a_reason(why: str) -> None:
    with pytest.raises(LevelError, match="say why"):
        step("toxicity", 0.03, why=why)
    step("toxicity", 0.03)
    with pytest.raises(LevelError, match="say why"):
        services.rollback(0, who="bob", why=why)
    assert services.newest() == 1


def test_a_step_too_far_changes_nothing_not_even_the_other_task() -> None:
    good, far = services.shipped("injection"), services.shipped("toxicity")
    wanted = {
        "injection": moved(good, good.review + 0.01, good.block),
        "toxicity": moved(far, far.review + 0.06, far.block),
    }
    with pytest.raises(LevelError, match=r"toxicity: .* more than a step"):
        services.apply(wanted, who="ada", why="test")  # type: ignore[arg-type]
    assert services.load() == Levels()
    step("toxicity", 0.05)
    step("toxicity", 0.045)
    with pytest.raises(LevelError, match="outside of"):
        step("toxicity", 0.02)


def test_what_is_live_cannot_be_made_live() -> None:
    with pytest.raises(LevelError, match="live already"):
        step("toxicity", 0)
    with pytest.raises(LevelError, match="live already"):
        services.apply({}, who="ada", why="test")
    for version in (0, 1):
        with pytest.raises(LevelError, match="is live"):
            services.rollback(version, who="ada", why="test")
        if version == 0:
            step("toxicity", 0.01)


@pytest.mark.parametrize("version", [-1, 2, 99])
def test_there_is_no_way_back_to_what_never_was(version: int) -> None:
    step("toxicity", 0.01)
    with pytest.raises(LevelError, match="no version"):
        services.rollback(version, who="ada", why="test")


def test_levels_that_were_set_for_other_weights_do_not_hold(caplog: pytest.LogCaptureFixture) -> None:
    step("toxicity", 0.01)
    step("injection", 0.01)
    change = LevelChange.objects.get(version=2)
    change.thresholds["toxicity"]["classifier"] = "another"
    change.save()
    assert set(services.load().thresholds) == {"injection"}
    assert "toxicity, version 2: set for another classifier" in caplog.text


def test_of_two_who_step_at_once_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    step("toxicity", 0.01)
    monkeypatch.setattr(services, "newest", lambda: 0)  # what the slower of the two has seen
    monkeypatch.setattr(services, "load", Levels)
    with pytest.raises(LevelError, match="somebody else"):
        step("toxicity", 0.02)
    assert LevelChange.objects.count() == 1


def test_a_process_follows_a_step_and_the_way_back() -> None:
    process = Live(services.load, services.newest, every=3600)
    assert process() == Levels()
    stepped = step("toxicity", 0.02)
    process.refresh()
    assert process() == stepped
    services.rollback(0, who="ada", why="test")
    process.refresh()
    assert process() == Levels()
    process.stop()


@pytest.mark.django_db(transaction=True)
def test_before_the_first_migration_the_shipped_levels_are_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LevelChange._meta, "db_table", "never_made")
    assert services.newest() == 0
    assert services.load() == Levels()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(TASKS),
        st.floats(-0.05, 0.05).map(lambda by: round(by, 3)),
        st.floats(-0.05, 0.05).map(lambda by: round(by, 3)),
    ),
    min_size=1,
    max_size=5,
)


@given(MOVES, st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_steps_and_the_way_back_to_any_version_change_nothing(
    moves: list[tuple[Levelled, float, float]], data: st.DataObject
) -> None:
    states = {services.load().version: services.load()}
    changes = LevelChange.objects.count()
    for task, review, block in moves:
        now = live(task)
        wanted = moved(now, now.review + review, now.block + block)
        if wanted != now and refused(now, wanted, services.shipped(task)) is None:
            levels = step(task, review, block)
            states[levels.version] = levels
            changes += 1
    for version in data.draw(st.permutations(sorted(states))):
        if version != services.load().version:
            assert services.rollback(version, who="bob", why="test") == states[version]
            changes += 1
        assert services.load() == states[version]
    assert LevelChange.objects.count() == changes
