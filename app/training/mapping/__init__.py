"""Map before you build: courses, topics with references, mapping exercises, gaps, and templates of programmes."""
