"""How healthy a car is, as far as its sessions show: checks, scores, causes, the next test."""

from analysis.health.markdown import report_markdown
from analysis.health.ranking import recommend
from analysis.health.report import assess

__all__ = ["assess", "recommend", "report_markdown"]
