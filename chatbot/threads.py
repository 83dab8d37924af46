"""Runs services and selectors off the event loop, in threads that are few and bounded."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

_T = TypeVar("_T")
SERVICE_THREADS = 8
_services = ThreadPoolExecutor(SERVICE_THREADS, thread_name_prefix="service")


async def in_thread(call: Callable[[], _T], threads: ThreadPoolExecutor = _services) -> _T:
    """Return what `call` returns, or raise what it raises."""

    def run() -> _T:
        close_old_connections()
        return call()

    return await asyncio.get_running_loop().run_in_executor(threads, run)
