"""The only code of ours that the sandbox's own processes import: standard library, and the scientific stack."""
