import pytest

from knowledge.filters import MOST_KEYS, Catalogue, checked, parsed

ABOUT = Catalogue(
    {1: {"document": "a.md", "brand": "x"}, 2: {"document": "b.md", "brand": "y"}, 3: {"document": "c.md"}}
)


@pytest.mark.parametrize(
    ("filters", "versions"),
    [
        ({}, None),
        ({"language": ["zh"]}, None),
        ({"brand": ["x"]}, [1]),
        ({"brand": ["x", "y"]}, [1, 2]),
        ({"brand": ["X"]}, []),
        ({"brand": []}, []),
        ({"colour": ["x"]}, []),
        ({"brand": ["x", "y"], "document": ["b.md"]}, [2]),
        ({"brand": ["x"], "document": ["b.md"]}, []),
        ({"document": ["c.md"], "language": ["zh"]}, [3]),
    ],
)
def test_every_key_must_have_one_of_its_values(filters: dict[str, list[str]], versions: list[int] | None) -> None:
    assert ABOUT.versions(filters) == versions


def test_metadata_is_short_texts_under_plain_keys() -> None:
    assert checked({"brand": "小米", "size_2": "x" * 200}) == {"brand": "小米", "size_2": "x" * 200}


@pytest.mark.parametrize(
    "metadata",
    [
        {"Brand": "x"},
        {"": "x"},
        {"2nd": "x"},
        {"a b": "x"},
        {"k" * 41: "x"},
        {"language": "zh"},
        {"document": "a.md"},
        {"brand": ""},
        {"brand": "x" * 201},
        {"brand": 7},
        {f"key{number}": "x" for number in range(MOST_KEYS + 1)},
    ],
)
def test_anything_else_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"key|value|known"):
        checked(metadata)


def test_pairs_are_read_and_a_key_that_comes_again_has_both_values() -> None:
    assert parsed(["brand=x", "brand=y=z", "size="]) == {"brand": ["x", "y=z"], "size": [""]}


@pytest.mark.parametrize("pair", ["brand", "=x", ""])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(ValueError, match="KEY=VALUE"):
        parsed([pair])
