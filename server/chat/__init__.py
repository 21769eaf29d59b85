"""The chat responder: a model, or built-in rules where there is none, answers with the tools."""
