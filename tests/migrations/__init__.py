"""The migration rig: up and down, drift, offline SQL, two deployers, guards."""
