"""Why a file is not taken. Knows nothing of how the customer is told."""

from typing import Literal

Reason = Literal[
    "file_empty",
    "file_too_big",
    "file_type",  # none of those that are taken
    "file_mismatch",  # the content is not what the name says
    "file_damaged",
    "file_pixels",
    "file_locked",  # encrypted
    "file_unsafe",  # made to harm, or a scanner says so
    "file_unchecked",  # the scanner cannot be reached
    "file_daily",
    "file_quota",
]


class FileRefused(Exception):
    """The file is not taken; `reason` names the wording that the customer sees, `detail` is for the log."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail
