"""What is filled in on the way."""

from rooms.sites.forms import Lines, Worded, clean_origins


class Origins(Worded):
    """Which pages may embed the chat."""

    allowed_origins = Lines()

    def clean_allowed_origins(self) -> list[str]:
        return clean_origins(self.cleaned_data["allowed_origins"], self.t["bad_origin"])
