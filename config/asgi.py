"""The ASGI application of web: Django's pages over HTTP, the sockets of widget and console. It never imports torch."""

import os
from typing import Any, cast

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_asgi_application()

from api import bodies  # noqa: E402  Django must be set up first
from chatbot import files, wiring  # noqa: E402
from chatbot.bodies import BoundedBodies  # noqa: E402
from chatbot.consumers import ChatConsumer  # noqa: E402
from console.consumers import StaffConsumer  # noqa: E402

wiring.warm_web()
http = BoundedBodies(cast(Any, django), most=bodies.most_bytes, client=files.network_of)


async def not_found(scope: Any, receive: Any, send: Any) -> None:
    """Refuse a websocket to any other address."""
    await send({"type": "websocket.close", "code": 4404})


sockets: Any = URLRouter(
    [
        path("ws/chat/", ChatConsumer.as_asgi()),
        path("ws/staff/", cast(Any, StaffConsumer.as_asgi())),
        re_path("", cast(Any, not_found)),
    ]
)
application = ProtocolTypeRouter({"http": http, "websocket": sockets})
