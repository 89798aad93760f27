"""Texts and pages for people: Jinja2 templates, and what each may say."""
