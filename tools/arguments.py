"""Argument types that several tools share, described once for the model."""

from typing import Annotated, Literal

from pydantic import Field

SessionId = Annotated[
    str, Field(min_length=1, max_length=64, description="Id of a session, from `list_sessions`.")
]
VehicleId = Annotated[
    str, Field(min_length=1, max_length=64, description="Id of a vehicle, from `list_vehicles`.")
]
SignalNames = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=32,
        description="Signal names as `get_session` lists them, such as rpm or coolant_temp.",
    ),
]
StartS = Annotated[
    float | None, Field(description="Start of the window, in seconds since the session's start.")
]
EndS = Annotated[float | None, Field(description="End of the window, in seconds since the session's start.")]
Limit = Annotated[int, Field(ge=1, le=200, description="Rows to return at most.")]
Offset = Annotated[
    int, Field(ge=0, le=10**9, description="Rows to skip; the answer says how many there are.")
]
Detail = Annotated[
    Literal["concise", "detailed"], Field(description="How much to return; concise is enough to decide.")
]
