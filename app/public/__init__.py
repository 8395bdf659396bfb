"""Pages for everybody, without a sign-in."""
