"""Proofs of the tenant wall: in the catalogue, in every table, in pools, in GraphQL, and in the source."""
