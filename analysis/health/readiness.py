"""What readiness and the distance since clearing say about the absence of trouble codes."""

from analysis.health.checking import Car


def recently_cleared(car: Car) -> str:
    """Say what readiness and the distance since clearing tell about the absence of codes."""
    ready = car.readiness
    km = _last(car, "distance_since_dtc_clear") if ready is None else ready.distance_since_clear_km
    warm = _last(car, "warmups_since_dtc_clear") if ready is None else ready.warmups_since_clear
    open_ = sorted(name for name, done in ready.monitors.items() if not done) if ready else []
    fresh = (km is not None and km < 50) or (warm is not None and warm < 5)
    parts = [f"{km:.0f} km" for _ in [0] if km is not None] + [
        f"{warm:.0f} warm-ups" for _ in [0] if warm is not None
    ]
    since = " and ".join(parts)
    names = ", ".join(open_)
    if open_ and fresh:
        return (
            f"Codes were cleared only {since} ago and {names} have not run since: a clean memory says nothing yet. "
            "Drive until the monitors are complete and read again."
        )
    if open_:
        return f"Not yet run since clearing: {names}. That is unknown, not bad; an inspection may accept one open."
    if fresh:
        return f"Codes were cleared only {since} ago: read again after a week of driving."
    if ready is None or not ready.monitors:
        return "Readiness was not read; it is not known whether codes were cleared recently."
    ago = f" since clearing {since} ago" if since else ""
    return f"All monitors have run{ago}: no codes means that none was found."


def _last(car: Car, name: str) -> float | None:
    return float(car.timeline[name].values[-1]) if car.timeline.has(name, readings=1) else None
