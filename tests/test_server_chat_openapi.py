"""The chat's routes keep to what OpenAPI says of them, whatever is sent."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import served

from server.app import build_app
from server.limits import Limits
from tools import TOOLS
from tools.context import Workshop

CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_route_of_the_chat_keeps_to_what_openapi_says(mode: GenerationMode, workshop: Workshop) -> None:
    app = build_app(TOOLS, workshop, limits=Limits(requests_per_s=0))
    with served(app) as address:
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        chat = schema.include(path_regex=r"^/(api/(chat|conversations)|v1)")
        operations = [found.ok() for found in chat.get_all_operations()]
        assert len(operations) == 7
        for operation in operations:

            @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(operation.as_strategy(generation_mode=mode))
            def try_one(case: schemathesis.Case) -> None:
                case.call_and_validate(checks=CHECKS)

            with suppress(Unsatisfiable):
                try_one()
