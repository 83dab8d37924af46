import pytest

from guardrails.personal_data.recognizers.person_en import PersonEn
from tests.guardrails.recognizers.support import found

FOUND = [
    ("My name is John Smith.", "John Smith"),
    ("my name is john smith and i want a refund", "john smith"),
    ("Hi, this is Sarah Connor. Where is my parcel?", "Sarah Connor"),
    ("I'm Hannah Kowalski, where is my refund?", "Hannah Kowalski"),
    ("Regards,\nFatima Haddad", "Fatima Haddad"),
    ("I spoke with Mr. O'Connor yesterday", "O'Connor"),
    ("Michael Brown's order is late", "Michael Brown"),
    ("我叫 Li Ming，电话", "Li Ming"),
    ("Please ship it to Ludwig van Beethoven", "Ludwig van Beethoven"),
    ("Name: Åsa Laine", "Åsa Laine"),
]
LEFT = [
    "Do you ship to New York or Los Angeles?",
    "Is the iPhone 15 Pro Max in stock?",
    "Can I return my Calvin Klein jacket?",
    "Good morning, is Customer Service open on Monday?",
    "Black Friday starts on November 24",
    "my name is wrong on the invoice",
    "Will May be too late?",
    "I paid in AUD and EUR",
    "退款要多久才能到账？",
    "how long does a refund take?",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_name_in_latin_letters_without_its_title(text: str, value: str) -> None:
    assert found(PersonEn(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_places_products_and_dates(text: str) -> None:
    assert found(PersonEn(), text) == []
