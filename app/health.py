"""Health of the process: alive, and ready to serve."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.services import Services


async def live(_: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> JSONResponse:
    """The database answers too; 503 otherwise."""
    services: Services = request.app.state.services
    try:
        async with services.database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return JSONResponse({"status": "not ready", "database": "no answer"}, status_code=503)
    return JSONResponse({"status": "ready", "database": "answers"})
