"""Root fields for changing things."""

import strawberry

from medstead_graphql.mutations.execute import execute_mutation


@strawberry.type(description="Changes. Each answers with a success type or a typed refusal.")
class Mutation:
    """Changes."""

    placeholder: str


__all__ = ["Mutation", "execute_mutation"]
