"""What tokens cost, from the options."""

from chatbot import wiring
from rooms.insights.report import Prices


def prices() -> Prices:
    """Return the prices that are set."""
    options = wiring.limits()
    return Prices(options.price_prompt, options.price_reply, options.currency)
