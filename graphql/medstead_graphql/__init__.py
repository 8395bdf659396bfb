"""The GraphQL API: types declared with Strawberry, reads compiled to one SQL statement."""
