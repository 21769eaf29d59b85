"""A responder as the settings describe it."""

from server.chat.limits import AnswerLimits
from server.chat.model import ModelAccess
from server.chat.responder import Responder
from server.selection import AnyTool
from server.settings import Settings
from tools.context import Workshop


def open_responder(tools: tuple[AnyTool, ...], workshop: Workshop, settings: Settings) -> Responder:
    """Return the responder of a process.

    A model answers only where OBD_AGENT_MODEL names one: a key that lies in the environment for another
    program must not send anybody's car anywhere.
    """
    access = None
    if settings.model:
        access = ModelAccess(
            settings.model, settings.openai_api_key, settings.openai_base_url, settings.model_api
        )
    limits = AnswerLimits(context_tokens=settings.model_context_tokens)
    return Responder(tools, workshop, access, limits)
