"""How answers word quantities and findings."""

from analysis.findings import Evidence, Finding, Quantity

_PLAIN = ("", "ratio", "count")


def say_quantity(name: str, quantity: Quantity) -> str:
    """Say a quantity in a few words; nothing for an absent one."""
    return "" if quantity.value is None else f"{name} {say_value(quantity)}"


def say_value(quantity: Quantity) -> str:
    """Say a quantity's value with its bounds, or why there is none."""
    if quantity.value is None:
        return f"unknown ({quantity.reason})"
    unit = "" if quantity.unit in _PLAIN else f" {quantity.unit}"
    bounded = quantity.low is not None and quantity.high is not None
    return f"{quantity.value:.4g}{unit}" + (
        f" ({quantity.low:.4g} to {quantity.high:.4g})" if bounded else ""
    )


def say_finding(finding: Finding) -> str:
    """Say a finding with its first pieces of evidence in one line."""
    evidence = "; ".join(_say_evidence(item) for item in finding.evidence[:3])
    shown = f" Evidence: {evidence}." if evidence else ""
    return f"[{finding.severity}] {finding.title}: {finding.explanation}{shown} {finding.recommendation}".rstrip()


def _say_evidence(item: Evidence) -> str:
    said = f"{item.signal} {item.statistic}"
    if item.value is not None:
        said += f" {item.value:.4g} {item.unit}"
    if item.expected:
        said += f" (expected {item.expected})"
    if item.start_s is not None and item.end_s is not None:
        said += f" at {item.start_s:.0f} to {item.end_s:.0f} s"
    return said
