"""The suites: what is measured, against what, and which limits hold. One file each."""
