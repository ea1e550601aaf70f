"""Durations as people read them."""

from datetime import datetime


def duration(seconds: float) -> str:
    """Seconds as `45s`, `3m20s`, `2h5m` or `3d4h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60}m"
    return f"{whole // 86400}d{whole % 86400 // 3600}h"


def since(moment: datetime | None, *, now: datetime) -> str:
    """How long ago that was; empty when it is not known."""
    return duration((now - moment).total_seconds()) if moment is not None else ""
