"""Token buckets: so many at once, so many a minute; by visitor, network, site and recipient, shared through redis.

Knows nothing of sockets and frames. While redis is away each process decides alone.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import redis

Action = Literal["message", "hello", "conversation", "upload", "mail", "transcript", "api"]
Scope = Literal["visitor", "ip", "site", "address"]

REST_SECONDS = 1.0
OWN_BUCKETS = 20_000
_SCRIPT = (Path(__file__).parent / "buckets.lua").read_text()


class TokenBucket:
    """Holds up to `burst` tokens and gains `per_minute` of them a minute. Not thread-safe: one owner."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self) -> float:
        """Take a token; return 0.0, or the seconds to wait when there is none."""
        wait = self.wait()
        if not wait:
            self._tokens -= 1
        return wait

    def wait(self) -> float:
        """Return the seconds until there is a token, 0.0 when there is one; take none."""
        now = self._clock()
        self._tokens, self._at = min(self._burst, self._tokens + (now - self._at) * self._rate), now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate


@dataclass(frozen=True)
class Rate:
    """What one bucket allows."""

    per_minute: float
    burst: float

    @classmethod
    def of(cls, per_minute: float) -> "Rate":
        """Return the rate with a quarter of a minute's allowance at once, five at least."""
        return cls(per_minute, max(5, per_minute / 4))


class TooMany(Exception):
    """Refused for now. `scope` says whose allowance is used up; in `seconds` there is some again."""

    def __init__(self, scope: Scope, seconds: float) -> None:
        super().__init__(scope)
        self.scope, self.seconds = scope, seconds


class Limiter:
    """All buckets of an installation. Thread-safe.

    `rates` has the rate of every bucket; what is not in it is not limited. `secret` hides addresses, of networks and
    of e-mail: only keyed digests of them reach redis.
    """

    def __init__(
        self,
        client: redis.Redis,
        rates: Mapping[tuple[Action, Scope], Rate],
        *,
        secret: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = client.register_script(_SCRIPT)
        self._rates, self._clock = rates, clock
        self._secret = hashlib.sha256(secret).digest()
        self._own: OrderedDict[str, TokenBucket] = OrderedDict()
        self._lock = threading.Lock()
        self._away_until = -float("inf")

    def take(
        self, *actions: Action, visitor: object = None, network: str = "", site: object = None, address: str = ""
    ) -> None:
        """Take one token for each action from each bucket that applies; one round trip. Raises TooMany.

        When one bucket is empty, nothing is taken from any: who is refused uses up nobody else's allowance.
        """
        holders: dict[Scope, str] = {}
        if visitor is not None:
            holders["visitor"] = str(visitor)
        if network:
            holders["ip"] = self._hidden(network)
        if site is not None:
            holders["site"] = str(site)
        if address:
            holders["address"] = self._hidden(address)
        buckets = [
            (scope, f"kefu:bucket:{action}:{scope}:{holder}", self._rates[action, scope])
            for action in actions
            for scope, holder in holders.items()
            if (action, scope) in self._rates
        ]
        if not buckets:
            return
        wait, slowest = self._take_shared(buckets)
        if wait:
            raise TooMany(buckets[slowest][0], wait)

    def _hidden(self, address: str) -> str:
        return hashlib.blake2b(address.encode(), key=self._secret, digest_size=16).hexdigest()

    def _take_shared(self, buckets: Sequence[tuple[Scope, str, Rate]]) -> tuple[float, int]:
        if self._clock() < self._away_until:
            return self._take_own(buckets)
        arguments = [number for _, _, rate in buckets for number in (rate.per_minute / 60, rate.burst)]
        try:
            answer: Any = self._script(keys=[key for _, key, _ in buckets], args=arguments)
        except redis.RedisError:  # away, hanging or full: nobody waits for it at every message
            self._away_until = self._clock() + REST_SECONDS
            return self._take_own(buckets)
        return float(answer[0]), int(answer[1]) - 1

    def _take_own(self, buckets: Sequence[tuple[Scope, str, Rate]]) -> tuple[float, int]:
        with self._lock:
            own = [self._own_bucket(key, rate) for _, key, rate in buckets]
            wait, slowest = max((bucket.wait(), number) for number, bucket in enumerate(own))
            if not wait:
                for bucket in own:
                    bucket.take()
        return wait, slowest

    def _own_bucket(self, key: str, rate: Rate) -> TokenBucket:
        bucket = self._own.pop(key, None) or TokenBucket(rate.per_minute, rate.burst, self._clock)
        self._own[key] = bucket
        if len(self._own) > OWN_BUCKETS:
            self._own.popitem(last=False)
        return bucket
