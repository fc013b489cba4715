"""The pages of definitions, one module per concept."""
