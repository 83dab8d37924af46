import pytest

from guardrails.personal_data.recognizers.address_en import AddressEn
from tests.guardrails.recognizers.support import found

FOUND = [
    ("I live at 12 Baker Street, London. Please", "12 Baker Street, London"),
    ("ship it to 350 5th Avenue, Apt 4B, New York, NY 10118, thanks", "350 5th Avenue, Apt 4B, New York, NY 10118"),
    ("5a Upper High St. is my address", "5a Upper High St."),
    ("地址是221 Elm Rd, Springfield, IL 62704谢谢", "221 Elm Rd, Springfield, IL 62704"),
    ("Send it to\n77 Willow Lane\nAustin, TX 78701\nThanks", "77 Willow Lane\nAustin, TX 78701"),
    ("My flat is Lindenstraße 44, Berlin", "Lindenstraße 44, Berlin"),
    ("deliver to Via Garibaldi 12", "Via Garibaldi 12"),
    ("ul. Polna 7, 00-625", "ul. Polna 7"),
    ("P.O. Box 2210 please", "P.O. Box 2210"),
    ("meet me at the corner of Oak Street and Fifth Avenue", "the corner of Oak Street and Fifth Avenue"),
    ("my address is 4411 maple street apt 9", "4411 maple street apt 9"),
    ("10 Downing Street, London SW1A 2AA", "10 Downing Street, London SW1A 2AA"),
    ("my zip code is 90210", "90210"),
    ("19 rue de la Paix", "19 rue de la Paix"),
]
LEFT = [
    "order 88231 Garden Chairs arrived",
    "I bought 2 Apple Watch Series 9",
    "It arrived on 12 May 2024",
    "Is the 15 Pro Max in stock?",
    "Opening hours 9 to 5 on Friday",
    "the price is $12 Street price was 15",
    "version 3.11.4 on Windows 11",
    "During 1971 sales rose",
    "Do you have a store in New York?",
    "2 way street maps are 5 dollars",
    "Tracking number 1Z999AA10123456784",
    "chapter 12 Section 4",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_address_with_what_follows_it(text: str, value: str) -> None:
    assert found(AddressEn(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_counts_dates_products_and_cities(text: str) -> None:
    assert found(AddressEn(), text) == []
