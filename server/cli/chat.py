"""`obd-agent chat`: ask in plain words; and `obd-agent eval`: how well the built-in responder understands."""

from typing import Annotated

import typer

from server.cli.shell import AsJson, CommandFailedError, open_workshop, print_json, say
from server.settings import Settings
from tools import TOOLS


def add_commands(app: typer.Typer) -> None:
    """Add the commands of the chat."""
    app.command("chat")(chat)
    app.command("eval")(evaluate)


def chat(
    question: Annotated[str | None, typer.Argument(help="The question; without one, a conversation.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Id of a conversation to continue.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Id of the vehicle it is about.")] = None,
    session: Annotated[str | None, typer.Option(help="Id of the session it is about.")] = None,
    built_in: Annotated[bool, typer.Option("--built-in", help="Answer by rules, without the model.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask in plain words; a model answers where OBD_AGENT_MODEL names one, built-in rules otherwise."""
    # Here, not above: every other command would wait for it, `obd-agent mcp` among them.
    from server.chat.responder import Question
    from server.chat.settings import open_responder
    from server.cli.talk import Talk

    with open_workshop() as workshop:
        talk = Talk(open_responder(TOOLS, workshop, Settings()), conversation, built_in)
        if question is None:
            talk.go_on(vehicle, session)
        elif as_json:
            talk.answer_as_json(Question(question, conversation, vehicle, session, built_in))
        else:
            error = talk.answer(Question(question, conversation, vehicle, session, built_in))
            talk.say_how_to_continue()
            if error is not None:
                raise CommandFailedError(error, False)


def evaluate(as_json: AsJson = False) -> None:
    """Ask the built-in responder the questions of its catalogue, and say which it routes wrong."""
    from server.chat.builtin.catalogue import run_catalogue

    verdict = run_catalogue()
    if as_json:
        print_json(verdict.plain())
    else:
        say(verdict.say())
    if verdict.wrong:
        raise typer.Exit(1)
