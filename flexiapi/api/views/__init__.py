"""Views: the JSON objects of the API. Every key is always present.

A view is a dataclass. If it shows a record, its class method `of` makes it from that record.
"""
