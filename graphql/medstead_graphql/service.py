"""What the endpoint needs for the life of a process: trusted documents, buckets and counts of use."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.services import Services
from medstead_graphql.account import Account
from medstead_graphql.buckets import Buckets
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.requests import Sent
from medstead_graphql.schema import schema
from medstead_graphql.trusted import trusted_documents
from medstead_graphql.usage import Usage
from tenants.context import TenantContext

REFUND_SECONDS = 0.5
USAGE_SECONDS = 5.0


class GraphQLService:
    """Opened in the application's lifespan."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self.services = services
        self.uploads = settings.data_dir / "uploads"
        self.maximum_cost = settings.graphql_maximum_cost
        self.buckets = Buckets(
            settings.redis_url, settings.graphql_bucket, settings.graphql_restored, settings.graphql_maximum_cost
        )
        self.usage = Usage(services.database)
        self._trusted = {document.id: document.text for document in trusted_documents()}
        self._texts = frozenset(self._trusted.values())
        for text in self._texts:
            schema.documents.trust(text)
        self._closing = asyncio.Event()
        self._loops = (
            asyncio.create_task(self._every(REFUND_SECONDS, self.buckets.flush)),
            asyncio.create_task(self._every(USAGE_SECONDS, self.usage.flush)),
        )

    def account(self, context: TenantContext) -> Account:
        """The account of a request of this caller."""
        assert context.actor_id is not None
        return Account(self.buckets, context.actor_id)

    def text_of(self, sent: Sent) -> str:
        """The text of the document that is asked for. Raises Refusal `UNKNOWN_DOCUMENT` or `TRUSTED_ONLY`."""
        if sent.document_id is not None:
            text = self._trusted.get(sent.document_id)
            if text is None:
                raise Refusal(
                    "UNKNOWN_DOCUMENT", "There is no trusted document with that id. Send its text as `query`."
                )
            return text
        assert sent.query is not None
        if self.services.settings.graphql_trusted_only and sent.query not in self._texts:
            raise Refusal("TRUSTED_ONLY", "Only trusted documents are run here. Ask for one by its `documentId`.")
        return sent.query

    async def close(self) -> None:
        """Write what is still held in this process."""
        self._closing.set()
        await asyncio.gather(*self._loops)
        await self.usage.flush()
        await self.buckets.close()

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
            await step()
