"""What hangs on an account: its actions and types, changed one at a time and not with the whole account."""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from flexiapi.model import Action
from flexiapi.store.connection import Records


class Attachments(Records):
    """Each change is one conditional write, and tells whether it took place."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._accounts = database["accounts"]

    async def add_action(self, account_id: int, action: Action) -> bool:
        """Give an account an action."""
        document = {"id": action.id, "key": action.key, "code": action.code}
        return await self._changed({"_id": account_id}, {"$push": {"actions": document}})

    async def replace_action(self, account_id: int, action: Action) -> bool:
        """Change the account's action of that id."""
        query = {"_id": account_id, "actions.id": action.id}
        return await self._changed(query, {"$set": {"actions.$.key": action.key, "actions.$.code": action.code}})

    async def remove_action(self, account_id: int, action_id: int) -> bool:
        """Take the action away from the account."""
        query = {"_id": account_id, "actions.id": action_id}
        return await self._changed(query, {"$pull": {"actions": {"id": action_id}}})

    async def attach_type(self, account_id: int, type_id: int) -> bool:
        """Give an account a type that it has not."""
        return await self._changed({"_id": account_id, "types": {"$ne": type_id}}, {"$push": {"types": type_id}})

    async def detach_type(self, account_id: int, type_id: int) -> bool:
        """Take a type away from an account that has it."""
        return await self._changed({"_id": account_id, "types": type_id}, {"$pull": {"types": type_id}})

    async def _changed(self, query: dict[str, Any], change: dict[str, Any]) -> bool:
        return (await self._accounts.update_one(query, change)).matched_count == 1
