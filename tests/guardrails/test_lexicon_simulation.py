from guardrails.lexicon import Word, WordList
from guardrails.lexicon.simulation import simulate

WORDS = WordList(
    "new",
    (Word("大麻", "block", "drugs"), Word("发票", "review", "test"), Word("kill", "count", "test")),
    ("kill the lights",),
)
TEXTS = ("我有大麻烦了", "大麻烦，大麻烦", "卖达嘛", "开发票", "發票呢", "kill the lights", "ki1l", "ＫＩＬＬ")


def test_each_level_tells_how_often_its_words_are_found_and_where_by_accident() -> None:
    (block, review, count), _ = simulate(WORDS, TEXTS)
    assert (block.level, block.words, block.texts, block.hits, block.hit_rate) == ("block", 1, 8, 3, 0.375)
    assert block.worst == [("大麻", 3)]
    assert [(each.word, each.phrase, each.texts) for each in block.collisions] == [("大麻", "大|麻烦", 2)]
    assert block.allow == ["大麻烦"]
    assert (review.hits, review.collisions[0].phrase) == (2, "开发票")
    assert (count.hits, count.collisions) == (2, [])


def test_each_transform_tells_which_texts_it_alone_flags() -> None:
    _, added = simulate(WORDS, TEXTS)
    by_name = {each.transform: (each.texts, each.found) for each in added}
    assert by_name["homophones"] == (1, [("大麻", "达嘛")])
    assert by_name["leetspeak"] == (1, [("kill", "ki1l")])
    assert by_name["width"] == (1, [("kill", "ＫＩＬＬ")])
    assert by_name["split"] == (0, [])


def test_what_live_lists_allow_is_allowed() -> None:
    levels, _ = simulate(WORDS, TEXTS, [WordList("live", (), ("大麻烦", "开发票", "發票"))])
    assert [each.hits for each in levels] == [1, 0, 2]


def test_no_texts_are_no_error() -> None:
    levels, added = simulate(WORDS, [])
    assert [each.hit_rate for each in levels] == [0, 0, 0]
    assert {each.texts for each in added} == {0}
