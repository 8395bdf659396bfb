"""The read bench: the API's answers against hand-written SQL and against PostGraphile, on the same rows."""
