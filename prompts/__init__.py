"""Texts for the model, one Markdown file each."""

from collections.abc import Set
from importlib.resources import files


def load(name: str) -> str:
    """Return the text of a prompt file, without the trailing newline.

    Raises:
        FileNotFoundError: there is no prompt of that name.
    """
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8").strip()


def instructions(toolsets: Set[str]) -> str:
    """Compose what every client's model is told: the rules, then how to use the enabled toolsets."""
    parts = [load("rules")]
    parts += [load(f"toolset_{toolset}") for toolset in sorted(toolsets)]
    return "\n\n".join(parts)
