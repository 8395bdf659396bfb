"""What runs around the application: embedded servers, the development supervisor, checks and benches."""
