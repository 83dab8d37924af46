from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from guardrails import lists
from guardrails.lexicon.words import IMPORTED, WordList, shipped
from guardrails.lists import ListError
from guardrails.models import WordListEntry
from guardrails.normalizer import ALL

pytestmark = pytest.mark.django_db

ROWS = [("甲级禁词", "block", "test"), ("乙级禁词", "review", "test"), ("甲级禁词语", "allow", "")]


@pytest.fixture
def without_shipped_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "shipped", lambda: WordList("kefu", ()))


def add(rows: list[tuple[str, str, str]] = ROWS, **options: bool) -> lists.Changed:
    return lists.add("own", rows, who="ada", what="test", **options)  # type: ignore[arg-type]


def action(text: str) -> str:
    return lists.load().judge(text).action


def test_before_any_change_the_shipped_list_is_live() -> None:
    assert lists.active() == [shipped()]
    assert lists.newest() == 0
    assert lists.overview() == [
        {"list": "kefu", "active": "shipped", "words": len(shipped().words), "allowed": len(shipped().allow)}
    ]


def test_an_import_is_live_at_once_and_raises_the_number() -> None:
    assert add() == lists.Changed("own", 1, added=3, duplicates=0)
    assert lists.newest() == 1
    assert [action(text) for text in ("甲级禁词", "乙级禁词", "甲级禁词语", "丙")] == [
        "block",
        "review",
        "pass",
        "pass",
    ]
    assert next(each for each in lists.active() if each.name == "own").transforms == IMPORTED


def test_a_draft_waits_for_its_activation() -> None:
    add(live=False)
    assert action("甲级禁词") == "pass"
    lists.activate("own", who="bob")
    assert action("甲级禁词") == "block"
    lists.deactivate("own", who="bob")
    assert action("甲级禁词") == "pass"


def test_the_same_word_in_another_writing_is_a_duplicate() -> None:
    changed = add([("ＦＯＯbar", "block", "x"), ("foobar", "review", "x"), ("foo-bar", "block", "x")])
    assert (changed.added, changed.duplicates) == (1, 2)
    assert add([("FOOBAR", "count", "x")]).duplicates == 1


def test_one_word_is_edited_added_and_removed() -> None:
    add()
    lists.put("own", "甲级禁词", "count", "test", who="bob")
    assert action("甲级禁词") == "pass"
    lists.put("own", "新的禁词", "block", "test", who="bob")
    assert action("新的禁词") == "block"
    lists.remove("own", "新的禁词", who="bob")
    assert action("新的禁词") == "pass"
    assert lists.newest() == 4


@pytest.mark.usefixtures("without_shipped_words")
def test_roll_back_goes_back_step_by_step_and_an_edit_goes_on_from_there() -> None:
    add()
    lists.put("own", "二号禁词", "block", "test", who="bob")
    lists.put("own", "三号禁词", "block", "test", who="bob")
    assert lists.rollback("own", who="eve").version == 2
    assert lists.rollback("own", who="eve").version == 1
    assert (action("甲级禁词"), action("二号禁词"), action("三号禁词")) == ("block", "pass", "pass")
    with pytest.raises(ListError, match="no earlier"):
        lists.rollback("own", who="eve")
    assert lists.put("own", "四号禁词", "block", "test", who="bob").version == 4
    assert (action("甲级禁词"), action("二号禁词"), action("四号禁词")) == ("block", "pass", "block")
    assert {word.text for word in lists.version("own", 3).words} == {"甲级禁词", "乙级禁词", "二号禁词", "三号禁词"}
    assert {word.text for word in lists.version("own", 2).words} == {"甲级禁词", "乙级禁词", "二号禁词"}


def test_the_shipped_list_is_copied_when_it_is_first_edited() -> None:
    lists.put("kefu", "本店禁词", "block", "test", who="bob")
    (kefu,) = lists.active()
    assert len(kefu.words) == len(shipped().words) + 1
    assert (kefu.allow, kefu.transforms) == (shipped().allow, ALL)
    lists.rollback("kefu", who="bob")
    assert {word.text for word in lists.active()[0].words} == {word.text for word in shipped().words}
    lists.deactivate("kefu", who="bob")
    assert lists.active() == []


def test_a_lists_transforms_are_part_of_its_versions() -> None:
    add()
    assert action("夹级禁词") == "pass"
    lists.see_through("own", ALL, who="bob")
    assert action("夹级禁词") == "block"
    lists.rollback("own", who="bob")
    assert action("夹级禁词") == "pass"


def test_a_loader_reads_and_builds_only_what_has_changed() -> None:
    add()
    load = lists.Loader()
    first = load()
    lists.put("own", "二号禁词", "block", "test", who="bob")
    second = load(first)
    assert second.judge("二号禁词").action == "block"
    assert first.judge("二号禁词").action == "pass"
    before, after = ({words.name: made for words, made in each._built} for each in (first, second))
    assert before["kefu"] is after["kefu"]
    assert before["own"] is not after["own"]
    kept = [word for words, _ in second._built for word in words.words if word.text == "甲级禁词"]
    assert all(any(word is other for words, _ in first._built for other in words.words) for word in kept)
    assert second.edits == 1


@pytest.mark.usefixtures("without_shipped_words")
def test_a_loader_that_follows_every_change_judges_as_a_fresh_one(
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    texts = ("夹级禁词", "甲级禁词", "乙级禁词真麻烦", "三级禁词", "大乙级禁词")
    changes: list[Callable[[], object]] = [
        add,
        lambda: lists.put("own", "三级禁词", "block", "test", who="bob"),
        lambda: lists.put("own", "大乙级禁词", "allow", "", who="bob"),
        lambda: lists.remove("own", "甲级禁词", who="bob"),
        lambda: lists.put("own", "乙级禁词", "block", "test", who="bob"),
        lambda: lists.rollback("own", who="bob"),
        lambda: lists.put("own", "甲级禁词", "count", "test", who="bob"),
        lambda: lists.activate("own", 1, who="bob"),
        lambda: lists.see_through("own", ALL, who="bob"),
        lambda: lists.deactivate("own", who="bob"),
        lambda: lists.activate("own", who="bob"),
    ]
    load, live = lists.Loader(), None
    for change in changes:
        change()
        with django_assert_max_num_queries(8):
            live = load(live)
        anew = lists.load()
        assert [live.match(text) for text in texts] == [anew.match(text) for text in texts]
        assert live.version == anew.version


def test_every_change_is_kept_with_who_made_it() -> None:
    add()
    lists.put("own", "二号禁词", "block", "test", who="bob")
    lists.rollback("own", who="eve")
    kept = [(each.action, each.version, each.who, each.what) for each in lists.history("own")]
    assert kept == [("rollback", 1, "eve", ""), ("edit", 2, "bob", "block 二号禁词"), ("import", 1, "ada", "test")]


def test_an_edit_writes_one_row_not_the_list_again() -> None:
    add()
    lists.put("own", "二号禁词", "block", "test", who="bob")
    assert WordListEntry.objects.count() == len(ROWS) + 1


@pytest.mark.parametrize(
    ("text", "level"), [("", "block"), ("。。", "block"), ("x\n", "block"), ("x" * 201, "block"), ("好词语", "ban")]
)
def test_a_row_that_cannot_be_looked_for_is_refused(text: str, level: str) -> None:
    with pytest.raises(ListError):
        add([(text, level, "test")])
    assert lists.newest() == 0


def test_a_list_or_word_or_version_that_is_not_there_is_named() -> None:
    with pytest.raises(ListError, match="there is no list own"):
        lists.put("own", "词语词", "block", "x", who="bob")
    add()
    with pytest.raises(ListError, match="not in list own"):
        lists.remove("own", "没有这个", who="bob")
    with pytest.raises(ListError, match="no version 9"):
        lists.activate("own", 9, who="bob")
