"""Pages of the panel for administrators."""
