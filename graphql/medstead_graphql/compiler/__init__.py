"""The read compiler: a GraphQL operation becomes one SQL statement."""
