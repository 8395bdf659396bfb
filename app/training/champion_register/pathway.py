"""The progression pathway: a tenant's steps, and the days on which learners reached them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.training.champion_register.models import ROLE_CATEGORIES, LearnerStep, PathwayStep
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import row_of, said, standing_learner
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Step:
    """A step to be: its name and role category; `id` if it is one that there is."""

    name: str
    role_category: str
    id: UUID | None = None


async def set_pathway(work: UnitOfWork, steps: Sequence[Step]) -> list[UUID]:
    """Have exactly these steps in this order: some kept, some new, those left out removed. Gives their ids.

    Raises TrainingRefusal `NAME_MISSING`, `NO_SUCH_CATEGORY`, `NO_SUCH_STEP`, or `STEP_IN_USE` if somebody has reached
    a step that is left out.
    """
    names = [said(step.name, "NAME_MISSING", "Give each step a name.", "steps") for step in steps]
    if any(step.role_category not in ROLE_CATEGORIES for step in steps):
        raise TrainingRefusal("NO_SUCH_CATEGORY", f"Choose among {', '.join(ROLE_CATEGORIES)}.", "steps")
    present = {
        step.id: step
        for step in await work.session.scalars(select(PathwayStep).order_by(PathwayStep.id).with_for_update())
    }
    kept = [step.id for step in steps if step.id is not None]
    if len(set(kept)) < len(kept) or not set(kept) <= present.keys():
        raise TrainingRefusal("NO_SUCH_STEP", "Name each step that there is once at most.", "steps")
    gone = present.keys() - set(kept)
    reached = select(LearnerStep.id).where(among(LearnerStep.step_id, gone)).limit(1)
    if (await work.session.scalars(reached)).first() is not None:
        raise TrainingRefusal("STEP_IN_USE", "Somebody has reached a step that you leave out. Keep it.", "steps")
    await work.session.execute(delete(PathwayStep).where(among(PathwayStep.id, gone)))
    for offset, old in enumerate(present[identifier] for identifier in kept):
        old.position = 1_000_000 + offset
    await work.session.flush()
    order = []
    for position, (step, name) in enumerate(zip(steps, names, strict=True), 1):
        if step.id is None:
            row = PathwayStep(tenant_id=work.tenant_id, id=new_id(), created_at=work.now)
            work.add(row)
        else:
            row = present[step.id]
        row.position, row.name, row.role_category = position, name, step.role_category
        order.append(row.id)
    await work.session.flush()
    after = {"steps": len(order), "removed": len(gone)}
    work.record(Action.PATHWAY_CHANGED, "pathway_step", None, before={"steps": len(present)}, after=after)
    return order


async def reach_step(work: UnitOfWork, learner_id: UUID, step_id: UUID, on: date) -> UUID:
    """A learner reached a step on a day; told again, the day is corrected.

    Raises TrainingRefusal `NO_SUCH_LEARNER`, `NO_SUCH_STEP` or `IN_THE_FUTURE`.
    """
    await row_of(work, PathwayStep, step_id, "NO_SUCH_STEP", "step", "stepId")
    learner_id = await standing_learner(work, learner_id)
    if on > london_date(work.now):
        raise TrainingRefusal(
            "IN_THE_FUTURE", "Enter the day on which the step was reached, today at the latest.", "on"
        )
    new = insert(LearnerStep).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        step_id=step_id,
        reached_on=on,
        recorded_by=work.context.actor_id,
        created_at=work.now,
    )
    told = new.on_conflict_do_update(
        index_elements=["tenant_id", "learner_id", "step_id"], set_={"reached_on": new.excluded.reached_on}
    ).returning(LearnerStep.id)
    identifier = (await work.session.execute(told)).scalar_one()
    after = {"learner": str(learner_id), "step": str(step_id), "on": str(on)}
    work.record(Action.STEP_REACHED, "learner_step", identifier, after=after)
    return identifier
