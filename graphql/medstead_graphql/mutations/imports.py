"""Mutations of imports: start, apply, cancel, and answering the review queue."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.imports import operations
from app.imports.errors import ImportRefusal
from app.imports.receiving import Incoming, examined, register, saved_columns
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.mutations.payload import Payload, UserError, command, refusal, success
from medstead_graphql.types.common import JSON
from medstead_graphql.types.directory import Learner
from medstead_graphql.types.imports import Import, ImportRow
from tenants.clock import london_date
from tenants.session import UnitOfWork

WRITE = "imports:write"


@strawberry.type(description="Why an import, or a row of one, cannot be changed as asked.")
class ImportRefused(UserError):
    """A refusal of an import."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="The file was taken in and is being read.")
class StartImportSuccess:
    """Success of startImport."""

    import_: Import = strawberry.field(name="import")
    already: bool = strawberry.field(description="The same file with the same options came before; nothing was added.")


@strawberry.type(description="The import has changed its state.")
class ImportChanged:
    """Success of applyImport and cancelImport."""

    import_: Import = strawberry.field(name="import")


@strawberry.type(description="The row, and all that name the same person in the same way, are settled.")
class ImportRowResolved:
    """Success of resolveImportRow."""

    row: ImportRow
    learner: Learner


@strawberry.type(description="The row, and all that name the same person in the same way, are left out.")
class ImportRowDismissed:
    """Success of dismissImportRow."""

    row: ImportRow


StartImportResult = Annotated[StartImportSuccess | ImportRefused, strawberry.union("StartImportResult")]
ChangeImportResult = Annotated[ImportChanged | ImportRefused, strawberry.union("ChangeImportResult")]
ResolveImportRowResult = Annotated[ImportRowResolved | ImportRefused, strawberry.union("ResolveImportRowResult")]
DismissImportRowResult = Annotated[ImportRowDismissed | ImportRefused, strawberry.union("DismissImportRowResult")]


@strawberry.input(description="A file that fits into a request, as text. Send larger ones and workbooks to /uploads.")
class StartImportInput:
    """A small file."""

    filename: str
    content: str
    format_code: str | None = None
    options: JSON | None = None
    auto_apply: bool = False


def _refused(error: ImportRefusal) -> Payload:
    return refusal("ImportRefused", error.code, error.message, tuple(filter(None, (error.field,))))


def _identifier(text: str, type_name: str, code: str, what: str) -> UUID:
    found = key_of(text, type_name, UUID)
    if not isinstance(found, UUID):
        raise ImportRefusal(code, f"There is no such {what}. Use an id that this API gave.", "id")
    return found


async def _one_piece(content: str) -> AsyncIterator[bytes]:
    yield content.encode("utf-8", "replace")


async def _start(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    options = given.get("options")
    if options is not None and not isinstance(options, dict):
        return refusal("ImportRefused", "INVALID_OPTIONS", "Send `options` as an object.", ("options",))
    said = Incoming(given["filename"], given.get("formatCode"), options or {}, bool(given.get("autoApply")))
    try:
        saved = await saved_columns(work.session)
        async with examined(_one_piece(given["content"]), said, saved, london_date(work.now), caller.uploads) as file:
            received = await register(work, file)
    except ImportRefusal as error:
        return _refused(error)
    return success("StartImportSuccess", {"import": received.import_id}, {"already": received.already})


async def _apply(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        import_id = _identifier(arguments["id"], "Import", "NO_SUCH_IMPORT", "import")
        await operations.confirm(work, import_id)
    except ImportRefusal as error:
        return _refused(error)
    return success("ImportChanged", {"import": import_id})


async def _cancel(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        import_id = _identifier(arguments["id"], "Import", "NO_SUCH_IMPORT", "import")
        await operations.cancel(work, import_id)
    except ImportRefusal as error:
        return _refused(error)
    return success("ImportChanged", {"import": import_id})


async def _resolve(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        row_id = _identifier(arguments["id"], "ImportRow", "NO_SUCH_ROW", "row")
        asked = arguments.get("learnerId")
        learner_id = _identifier(asked, "Learner", "NO_SUCH_LEARNER", "learner") if asked else None
        placed = await operations.resolve_row(work, row_id, learner_id)
    except ImportRefusal as error:
        return _refused(error)
    return success("ImportRowResolved", {"row": row_id, "learner": placed})


async def _dismiss(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    try:
        row_id = _identifier(arguments["id"], "ImportRow", "NO_SUCH_ROW", "row")
        await operations.dismiss_row(work, row_id)
    except ImportRefusal as error:
        return _refused(error)
    return success("ImportRowDismissed", {"row": row_id})


@strawberry.type
class ImportMutations:
    """Mutations of imports."""

    start_import: StartImportResult | None = command(
        _start, WRITE, {"input": StartImportInput}, description="Take a small file in and have it read."
    )
    apply_import: ChangeImportResult | None = command(
        _apply, WRITE, {"id": strawberry.ID}, description="Apply an import that is READY."
    )
    cancel_import: ChangeImportResult | None = command(
        _cancel, WRITE, {"id": strawberry.ID}, description="Give up an import that is not applied yet."
    )
    resolve_import_row: ResolveImportRowResult | None = command(
        _resolve,
        WRITE,
        {"id": strawberry.ID, "learner_id": strawberry.ID | None},
        description="Say who a waiting row is about; without `learnerId` it is somebody new.",
    )
    dismiss_import_row: DismissImportRowResult | None = command(
        _dismiss, WRITE, {"id": strawberry.ID}, description="Leave a waiting row out."
    )
