"""How confident learners feel about topics before and after training; only people with both ratings are compared."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.training.errors import TrainingRefusal
from app.training.models import Tier
from app.training.requirements.finding import row_of, standing_learner
from app.training.requirements.models import ConfidenceRating
from tenants.audit import Action
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

LARGEST_SCALE = 10


async def rate(
    work: UnitOfWork,
    *,
    learner_id: UUID,
    tier_id: UUID,
    topic_code: str,
    moment: str,
    rating: int,
    scale_points: int,
    rated_on: date,
) -> UUID:
    """Keep a rating; one told again replaces the one before. Gives the rating.

    Raises TrainingRefusal `NO_SUCH_LEARNER`, `NO_SUCH_TIER`, `TOPIC_MISSING`, `UNKNOWN_MOMENT`, `OFF_SCALE`,
    `OTHER_SCALE` or `STILL_TO_COME`.
    """
    topic = topic_code.strip().upper()
    if not topic:
        raise TrainingRefusal("TOPIC_MISSING", "Say which topic was rated.", "topicCode")
    if moment not in ("before", "after"):
        raise TrainingRefusal("UNKNOWN_MOMENT", "Choose before or after.", "moment")
    if not (2 <= scale_points <= LARGEST_SCALE and 1 <= rating <= scale_points):
        message = f"Give a rating from 1 to the points of the scale, which has 2 to {LARGEST_SCALE}."
        raise TrainingRefusal("OFF_SCALE", message, "rating")
    if rated_on > london_date(work.now):
        raise TrainingRefusal("STILL_TO_COME", "Enter the day of the rating; it cannot be to come.", "ratedOn")
    await row_of(work, Tier, tier_id, "NO_SUCH_TIER", "tier", "tierId")
    learner_id = await standing_learner(work, learner_id)
    other = select(ConfidenceRating.scale_points).where(
        ConfidenceRating.learner_id == learner_id,
        ConfidenceRating.tier_id == tier_id,
        ConfidenceRating.topic_code == topic,
        ConfidenceRating.moment != moment,
        ConfidenceRating.scale_points != scale_points,
    )
    if (await work.session.scalars(other)).first() is not None:
        message = "The learner's other rating was on another scale. Use the same for both, or they cannot be compared."
        raise TrainingRefusal("OTHER_SCALE", message, "scalePoints")
    new = insert(ConfidenceRating).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        tier_id=tier_id,
        topic_code=topic,
        moment=moment,
        rating=rating,
        scale_points=scale_points,
        rated_on=rated_on,
    )
    keys = ("tenant_id", "learner_id", "tier_id", "topic_code", "moment")
    replaced = {name: new.excluded[name] for name in ("rating", "scale_points", "rated_on")}
    kept = new.on_conflict_do_update(index_elements=list(keys), set_=replaced).returning(ConfidenceRating.id)
    rating_id: UUID = (await work.session.execute(kept)).scalar_one()
    after = {"tier": str(tier_id), "topic": topic, "moment": moment}
    work.record(Action.CONFIDENCE_RATED, "confidence_rating", rating_id, after=after)
    return rating_id
