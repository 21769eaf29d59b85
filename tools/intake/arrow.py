"""An Arrow stream as columns: the body for those who send much."""

from importlib import import_module
from typing import Any

from pydantic import ValidationError

from tools.errors import ToolError
from tools.intake.bodies import Columns
from tools.schema import explain_invalid

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
_SHAPE = (
    "Send one Arrow IPC stream of number columns with t_s in seconds; schema metadata `start` (ISO 8601), "
    "field metadata `unit`."
)


def parse_arrow(data: bytes) -> Columns:
    """Return the columns of an Arrow stream as arrays; nulls are NaN.

    Raises:
        ToolError: `unsupported` where pyarrow is not installed, `bad_arguments` for what is no such stream.
    """
    try:
        ipc, lib = import_module("pyarrow.ipc"), import_module("pyarrow.lib")
    except ImportError as error:
        raise ToolError(
            "unsupported",
            "Arrow streams need the package pyarrow, which is not installed.",
            "Install it with: pip install 'obd-agent[parquet]', or send JSON.",
        ) from error
    try:
        return _columns(ipc.open_stream(data).read_all())
    except (lib.ArrowException, OSError) as error:
        raise ToolError("bad_arguments", f"The body is no Arrow stream: {error}.", _SHAPE) from error
    except ValidationError as error:
        raise ToolError("bad_arguments", *explain_invalid("intake", Columns, error)) from error


def _columns(table: Any) -> Columns:
    import pyarrow.types as kinds

    columns, units = {}, {}
    for one in table.schema:
        if not (kinds.is_floating(one.type) or kinds.is_integer(one.type)) or one.name in columns:
            raise ToolError("bad_arguments", f"{one.name} comes twice, or is no number: {one.type}.", _SHAPE)
        columns[one.name] = table.column(one.name).to_numpy()
        if unit := (one.metadata or {}).get(b"unit"):
            units[one.name] = unit.decode("utf-8", "replace")
    head = {"start": _start(table), "columns": dict.fromkeys(columns, ()), "units": units}
    # The numbers are checked by Arrow's own types; only what is text needs our checks.
    return Columns.model_validate(head).model_copy(update={"columns": columns})


def _start(table: Any) -> str | None:
    text = (table.schema.metadata or {}).get(b"start")
    return None if text is None else text.decode("utf-8", "replace")
