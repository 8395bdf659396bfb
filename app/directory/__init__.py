"""Who and where: CQC locations, employers, learners and their employment."""
