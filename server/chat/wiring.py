"""Wires the chat: a responder of the settings, and its routes."""

from fastapi import FastAPI

from server.chat.conversations import conversation_routes
from server.chat.openai_routes import openai_routes
from server.chat.responder import Responder
from server.chat.routes import chat_routes


def add_chat(app: FastAPI, responder: Responder) -> None:
    """Add the routes of the chat."""
    app.include_router(chat_routes(responder))
    app.include_router(conversation_routes(responder.workshop))
    app.include_router(openai_routes(responder))
