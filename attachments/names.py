"""File names as they may be shown and saved. Knows nothing of personal data and of contents."""

import re
import unicodedata

LONGEST = 100
_SEPARATORS = re.compile(r"[/\\]")
_RESERVED = re.compile(r'[<>:"|?*&;`$%]')


def clean_name(name: str) -> str:
    """Return the last part of a path without anything that misleads or harms: control and direction characters, quotes,
    markup, dots and spaces at its ends. At most `LONGEST` characters; the extension is kept, in lower case, if any.
    """
    last = unicodedata.normalize("NFC", _SEPARATORS.split(name)[-1])
    visible = "".join(" " if c.isspace() else c for c in last if c.isspace() or unicodedata.category(c)[0] != "C")
    plain = " ".join(_RESERVED.sub("_", visible).split()).strip(" .")
    if plain and "." not in plain and visible.lstrip().startswith("."):
        plain = f"file.{plain}"  # only an extension
    stem, dot, extension = plain.rpartition(".")
    if not dot:
        return plain[:LONGEST] or "file"
    extension = extension.lower()[:10]
    return f"{stem[: LONGEST - len(extension) - 1].rstrip(' .') or 'file'}.{extension}"


def extension_of(name: str) -> str:
    """Return what stands after a clean name's last dot, "" when there is none."""
    return name.rpartition(".")[2] if "." in name else ""
