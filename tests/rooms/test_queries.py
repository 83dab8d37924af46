"""No page asks the database more when there is more to show."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import rooms_data
from bench.rooms import routes
from chatbot.models import Site
from knowledge.models import KnowledgeBase
from tests.console.conftest import site, staff  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db

NO_PAGES = {"staff:logout", "staff:language", "staff:login"}


def counted(client: Client) -> dict[str, int]:
    """Return how many queries each page needs, the second time that it is asked for."""
    counts = {}
    for name, address in routes("manual"):
        if name in NO_PAGES or client.get(address).status_code != 200:
            continue
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        counts[name] = len(queries)
    return counts


def test_every_page_asks_the_same_whether_there_is_little_or_much(site: Site) -> None:  # noqa: F811
    shop = Site.objects.create(key="demo", name="Shop", knowledge_base="demo")
    base = KnowledgeBase.objects.create(slug="manual", name="Manual")
    Site.objects.create(key="second", name="Second", knowledge_base="manual")
    agents: list[User] = [staff("mei", "agent"), staff("li", "agent")]
    client = Client()
    client.force_login(staff("root", "administrator"))
    rooms_data.fill(shop, agents, conversations=8, seed=1)
    rooms_data.fill_knowledge(base, documents=2, chunks=6)
    few = counted(client)
    rooms_data.fill(shop, agents, conversations=40, seed=2)
    for number in range(6):
        Site.objects.create(key=f"more{number}", name="More", knowledge_base=f"more{number}")
        staff(f"agent{number}", "agent")
    many = counted(client)
    assert len(few) > 20
    assert {name: (few[name], count) for name, count in many.items() if count > few.get(name, 0)} == {}
