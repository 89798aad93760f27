"""The events of a database, held against its documents."""

from collections import defaultdict
from pathlib import Path

from pymongo import MongoClient

HURRIED = {"PYTHONPATH": str(Path(__file__).parent / "hurried")}
"""Environment of servers that move and number events of others within seconds."""

# Revisions of accounts that were imported continue from the time in milliseconds.
_IMPORTED = 10**12


class Ledger:
    """A database and the faults of its events, if no server has changed it since."""

    def __init__(self, uri, name):
        self.client = MongoClient(uri, tz_aware=True)
        self.database = self.client[name]

    def close(self):
        self.client.close()

    @property
    def events(self):
        return list(self.database.events.find({"number": {"$exists": True}}).sort("number"))

    def names(self, subject, collection="accounts"):
        return [one["name"] for one in self.events if one["subject"] == subject and one["collection"] == collection]

    @property
    def unfinished(self):
        """The number of events on their way: announced, in documents, without a number."""
        return {
            "announced": self.database.announced_events.count_documents({}),
            "pending": self.database.accounts.count_documents({"pending_since": {"$exists": True}}),
            "unnumbered": self.database.events.count_documents({"waiting": True}),
        }

    @property
    def is_settled(self):
        return not any(self.unfinished.values())

    @property
    def faults(self):
        events = self.events
        found = []
        if [event["number"] for event in events] != list(range(1, len(events) + 1)):
            found.append(f"numbers have holes: {[event['number'] for event in events]}")
        told = defaultdict(list)
        for event in events:
            told[event["collection"], event["subject"]].append(event["revision"])
        for record, revisions in told.items():
            if record[1] is not None and max(revisions) < _IMPORTED and revisions != list(range(1, len(revisions) + 1)):
                found.append(f"{record} has the revisions {revisions}")
        for account in self.database.accounts.find():
            revisions = told.get(("accounts", account["_id"]), [0])
            if account["revision"] < _IMPORTED and account["revision"] != revisions[-1]:
                found.append(f"account {account['_id']} is at {account['revision']}, its events at {revisions[-1]}")
        present = {account["_id"] for account in self.database.accounts.find({}, {"_id": 1})}
        for collection, subject in told:
            if collection == "accounts" and subject is not None:
                is_told = self.names_of(events, subject)[-1] == "account.removed"
                if is_told == (subject in present):
                    found.append(f"account {subject}: removed is {is_told}, present is {subject in present}")
        return found

    @staticmethod
    def names_of(events, subject):
        return [one["name"] for one in events if one["subject"] == subject and one["collection"] == "accounts"]
