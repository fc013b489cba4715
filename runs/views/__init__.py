"""The pages of runs, one module per concept."""
