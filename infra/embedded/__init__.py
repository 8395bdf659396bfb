"""Embedded PostgreSQL and Valkey for one machine: the programs of two wheels, started and stopped by us."""

from infra.embedded.postgres import PostgresServer, start_postgres
from infra.embedded.process import EmbeddedServerError
from infra.embedded.valkey import ValkeyServer, start_valkey

__all__ = ["EmbeddedServerError", "PostgresServer", "ValkeyServer", "start_postgres", "start_valkey"]
