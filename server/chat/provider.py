"""The model's service: a client for it, and its failures as errors that every door shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import openai

from server.chat.model import ModelAccess
from tools.errors import Code, ToolError

_STATUS: dict[int, tuple[Code, str]] = {
    400: ("bad_arguments", "The model's service refused the request; another model may take it."),
    401: ("not_allowed", "Check OPENAI_API_KEY."),
    403: ("not_allowed", "This key may not use the model."),
    404: ("not_found", "Check OBD_AGENT_MODEL and OPENAI_BASE_URL."),
    413: ("too_large", "Begin a new conversation."),
    429: ("busy", "Wait a little and ask again, or check the quota of the key."),
    503: ("busy", "Wait a little and ask again."),
}


def open_client(access: ModelAccess) -> openai.AsyncOpenAI:
    """Return a client; it tries again by itself, with growing pauses, where the service is busy or absent."""
    return openai.AsyncOpenAI(
        # Local servers take any key, but the SDK refuses to send none.
        api_key=access.api_key.get_secret_value() if access.api_key else "none",
        base_url=access.base_url,
        timeout=access.timeout_s,
        max_retries=access.retries,
    )


def truncated() -> ToolError:
    """Return the error of a stream that ended before the model said that it was done."""
    return ToolError(
        "timeout", "The model's answer broke off before its end.", "Ask again; what the tools said is kept."
    )


def failed(model: str, reason: object) -> ToolError:
    """Return the error of a service that could not answer."""
    return ToolError("timeout", f"{model} failed: {_short(reason)}", "Ask again.")


@asynccontextmanager
async def failures(model: str) -> AsyncIterator[None]:
    """Let every failure of the service leave as a ToolError."""
    try:
        yield
    except openai.APITimeoutError as error:
        raise ToolError("timeout", f"{model} did not answer in time.", "Ask again.") from error
    except openai.APIConnectionError as error:
        raise ToolError(
            "timeout", f"The service of {model} cannot be reached.", "Check OPENAI_BASE_URL and the network."
        ) from error
    except openai.APIStatusError as error:
        raise _refused(model, error) from error
    except openai.OpenAIError as error:
        raise failed(model, error) from error
    except (httpx2.HTTPError, ValueError) as error:
        # A stream that is cut, or holds what is no JSON, does not come as an error of the SDK.
        raise truncated() from error


def _refused(model: str, error: openai.APIStatusError) -> ToolError:
    if error.code == "context_length_exceeded":
        return ToolError("too_large", f"This is more than {model} can read.", "Begin a new conversation.")
    unknown: tuple[Code, str] = ("timeout", "The model's service has a fault; ask again.")
    code, hint = _STATUS.get(error.status_code, unknown)
    return ToolError(code, f"{model} answered {error.status_code}: {_short(error)}", hint)


def _short(reason: object) -> str:
    return " ".join(str(reason).split())[:300]
