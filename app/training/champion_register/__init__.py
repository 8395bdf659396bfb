"""The champions' register: who is champion where, the way that they progress, and whether they stay."""
