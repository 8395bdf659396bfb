"""Jobs of imports: staging a file that came in, applying a staged one."""

import structlog

from app.imports.applying import apply_import
from app.imports.staging import stage_import
from tenants.outbox import Topic
from workers.handlers import ManyTransactions, WorkerContext, register

log = structlog.get_logger()


async def _stage(context: WorkerContext) -> None:
    services = context.services
    folder = services.settings.data_dir / "uploads"
    await stage_import(services.database, context.tenant, context.refs["import_id"], folder, context.renew)
    log.info("import staged", import_id=str(context.refs["import_id"]))


async def _apply(context: WorkerContext) -> None:
    await apply_import(context.services.database, context.tenant, context.refs["import_id"], context.renew)
    log.info("import applied", import_id=str(context.refs["import_id"]))


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.IMPORT_STAGE, ManyTransactions(_stage))
    register(Topic.IMPORT_APPLY, ManyTransactions(_apply))
