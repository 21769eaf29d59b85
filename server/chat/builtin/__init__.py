"""Answers the common questions by rules, without any model: understands, calls the tool, says its answer."""

from server.chat.builtin.answering import NAME, BuiltIn

__all__ = ["NAME", "BuiltIn"]
