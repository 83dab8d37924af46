"""The ASGI application of web: Django's pages over HTTP, the widget's socket. torch is never imported here."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from chatbot import wiring  # noqa: E402  Django must be set up first
from chatbot.consumers import ChatConsumer  # noqa: E402

wiring.warm_web()

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter([path("ws/chat/", ChatConsumer.as_asgi())])})
