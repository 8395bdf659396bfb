"""The programme's rules: tiers, prerequisites, requirements, and where each learner stands by them."""
