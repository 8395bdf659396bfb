"""Having the meaning of kept statements taken in once more, because what is known about them has changed."""

from collections.abc import Iterable

from sqlalchemy import update

from app.training.elearning.models import LearningAccount, XapiStatement
from tenants.base import table_of
from tenants.session import UnitOfWork


async def reopen_account(work: UnitOfWork, account: LearningAccount) -> None:
    """Statements about an account."""
    await work.session.flush()
    await work.session.execute(
        update(XapiStatement)
        .where(XapiStatement.learning_system_id == account.learning_system_id, XapiStatement.account_key == account.key)
        .values(derived_at=None)
        .execution_options(synchronize_session=False)
    )


async def reopen_about(work: UnitOfWork, iris: Iterable[str]) -> None:
    """Statements that are about one of the activities, or name it beside."""
    table = table_of(XapiStatement)
    await work.run_rows(
        f"UPDATE {table.schema}.{table.name} SET derived_at = NULL WHERE tenant_id = $1 AND derived_at IS NOT NULL AND "
        "(activity_iri = $2 OR body -> 'context' -> 'contextActivities' @> "
        "jsonb_build_object('grouping', jsonb_build_array(jsonb_build_object('id', $2::text))) OR "
        "body -> 'context' -> 'contextActivities' @> "
        "jsonb_build_object('parent', jsonb_build_array(jsonb_build_object('id', $2::text))))",
        ((iri,) for iri in iris),
    )
