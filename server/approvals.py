"""Where a person decides over HTTP what a tool may do once."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.errors import REFUSALS
from tools.approvals import decide
from tools.context import Workshop


class ApprovalRow(BaseModel):
    """A call that waits for a person, or waited."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    tool: str
    arguments: str
    requester: str
    what: str
    created_at: datetime
    expires_at: datetime
    decision: str | None
    decided_by: str | None


class Decision(BaseModel):
    """What the person decided."""

    model_config = ConfigDict(extra="forbid")

    approve: bool = Field(description="True lets exactly this call run once; false refuses it.")


def approval_routes(workshop: Workshop) -> APIRouter:
    """Return the routes of the approvals."""
    router = APIRouter(prefix="/api/approvals", tags=["approvals"], responses=REFUSALS)

    @router.get("", summary="List the calls that wait for a person")
    def pending() -> list[ApprovalRow]:
        return [ApprovalRow.model_validate(one) for one in workshop.store.approvals.pending()]

    @router.post("/{approval_id}", summary="Approve or refuse a call")
    def decide_one(approval_id: str, decision: Decision) -> ApprovalRow:
        decided = decide(workshop.store, approval_id, approved=decision.approve, by="person over HTTP")
        return ApprovalRow.model_validate(decided)

    return router
