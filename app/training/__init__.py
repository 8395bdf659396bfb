"""What is taught, completed, attended and thought of it."""
