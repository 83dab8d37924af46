"""The rooms' addresses, all under /staff/: the gate is before them. Each room keeps its own list."""

from rooms.inbox.urls import urlpatterns as inbox
from rooms.insights.urls import urlpatterns as insights
from rooms.knowledge.urls import urlpatterns as knowledge
from rooms.people.urls import urlpatterns as people
from rooms.review.urls import urlpatterns as review
from rooms.sites.urls import urlpatterns as sites
from rooms.system.urls import urlpatterns as system
from rooms.welcome.urls import urlpatterns as welcome
from rooms.why.urls import urlpatterns as why
from rooms.words.urls import urlpatterns as words

app_name = "rooms"
urlpatterns = [*inbox, *review, *knowledge, *words, *why, *insights, *sites, *people, *system, *welcome]
