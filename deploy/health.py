"""Whether a process of this container works: `python -m deploy.health web|worker|desk`. Status 0 when it does.

Web is asked over HTTP, a worker through the broker.
"""

import http.client
import socket
import sys

from celery import Celery
from kombu.exceptions import OperationalError

from chatbot.events import REDIS_AWAY
from config.environment import config

SECONDS = 5.0


def web_answers() -> bool:
    """Whether web answers on its port, to a name that it serves."""
    options = config()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(options.host, options.host)  # noqa: S104
    names = [name.lstrip(".") for name in options.allowed_hosts if name != "*"]
    connection = http.client.HTTPConnection(host, options.port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"Host": names[0] if names else host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker_answers(name: str) -> bool:
    """Whether the worker of that name on this host answers a ping."""
    app = Celery("health")
    app.config_from_object("config.settings", namespace="CELERY")
    try:
        return bool(app.control.ping(destination=[f"{name}@{socket.gethostname()}"], timeout=SECONDS))
    except (OperationalError, *REDIS_AWAY):
        return False


def main() -> int:
    """Return the exit status."""
    match sys.argv[1:]:
        case ["web"]:
            return int(not web_answers())
        case ["worker" | "desk" as name]:
            return int(not worker_answers(name))
    sys.exit("usage: python -m deploy.health web|worker|desk")


if __name__ == "__main__":
    sys.exit(main())
