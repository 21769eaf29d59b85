"""Which of the two APIs a model is spoken to by."""

from server.chat.model import Model, ModelAccess


def open_model(access: ModelAccess) -> Model:
    """Return the model; opens no connection yet. The SDK is imported here: it takes a while."""
    if access.api == "responses":
        from server.chat.responses import ResponsesModel

        return ResponsesModel(access)
    from server.chat.completions import CompletionsModel

    return CompletionsModel(access)
