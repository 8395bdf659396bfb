"""Reports and evidence packs: each from one definition, kept as a snapshot that never changes, told in four forms."""
