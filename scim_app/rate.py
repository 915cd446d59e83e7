"""How fast anybody may ask: buckets that fill at a steady rate and hold a burst."""

import math
import threading
import time
from ipaddress import IPv6Address, IPv6Network, ip_address

KEYS = 10_000
"""So many are told apart; then those that asked longest ago are forgotten."""
IPV6_NETWORK = 64
"""Bits of an IPv6 address that tell one customer of a provider from another; the rest is the customer's to choose."""


def network_of(host: str) -> str:
    """Return what an address is limited by: an IPv4 address itself, or a network of IPv6 addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), IPV6_NETWORK), strict=False))


class Buckets:
    """A bucket for each key, in this process.

    Args:
        rate: how many a second are let through in the long run; 0 sets no limit.
        burst: how many are let through at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> int:
        """Return 0 and count one, or after how many whole seconds the next one is let through."""
        if not self._rate:
            return 0
        now = time.monotonic()
        with self._lock:
            left, at = self._held.pop(key, (float(self._burst), now))
            left = min(float(self._burst), left + (now - at) * self._rate)
            if len(self._held) >= KEYS:
                del self._held[next(iter(self._held))]
            self._held[key] = (left - 1 if left >= 1 else left, now)
        return 0 if left >= 1 else math.ceil((1 - left) / self._rate)
