"""Jinja2 templates for mails, SMS and pages, and the variables of each."""
