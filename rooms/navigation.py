"""Which rooms there are, in the order in which the side bar shows them, and who may enter."""

from dataclasses import dataclass

from console.rules import Action, User, may


@dataclass(frozen=True)
class Room:
    """A place in the side bar.

    `key` names its folder and its word; `icon` is one of heroicons' outlines; `hint` is its key after g;
    `first` is the name of its first page where that is not the room's.
    """

    key: str
    icon: str
    action: Action
    hint: str
    first: str = ""

    @property
    def route(self) -> str:
        """Return the name of its first page."""
        return f"rooms:{self.first or self.key}"


ROOMS = (
    Room("inbox", "inbox", "see_queue", "i"),
    Room("review", "shield-check", "review", "r"),
    Room("knowledge", "book-open", "see_knowledge", "k"),
    Room("words", "no-symbol", "see_words", "w"),
    Room("why", "question-mark-circle", "see_ledger", "a", first="why_list"),
    Room("insights", "chart-bar", "see_insights", "n"),
    Room("sites", "globe-alt", "manage_sites", "s"),
    Room("people", "users", "manage_staff", "p"),
    Room("system", "cpu-chip", "manage_sites", "y"),
)


def rooms_for(user: User) -> list[Room]:
    """Return the rooms that `user` may enter."""
    return [room for room in ROOMS if may(user, room.action)]
