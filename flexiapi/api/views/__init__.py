"""Views: the JSON objects of the API, which have every key always.

A view is a dataclass. Where it shows a record, its class method `of` makes it from that.
"""
