"""Texts for the model, one Markdown file each."""
