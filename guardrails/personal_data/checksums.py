"""The check digits of cards, Chinese resident IDs and IBANs. Digits in, true or false out."""

from datetime import date

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def luhn(digits: str) -> bool:
    """Return whether `digits` pass the check of ISO/IEC 7812-1 (payment cards)."""
    return sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(reversed(digits))) % 10 == 0


def resident_id(number: str) -> bool:
    """Return whether the 18 characters are a resident ID by GB 11643: a real birthday and ISO 7064 MOD 11-2."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    check = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False)) % 11
    return date(1900, 1, 1) <= born <= date.today() and "10X98765432"[check] == number[17].upper()


def iban(number: str) -> bool:
    """Return whether the upper-case letters and digits pass ISO 13616's MOD 97-10."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1
