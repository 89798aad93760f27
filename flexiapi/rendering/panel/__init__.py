"""The pages of the panel, with the variables of their templates."""
