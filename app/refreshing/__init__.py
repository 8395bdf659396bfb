"""Reference data brought up to date from CQC and ODS: what has changed is shown, approved by a person, then applied."""
