"""Views of tokens and API keys."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.views.accounts import AccountId, Address, Agent, Moment
from flexiapi.model import AuthToken


@dataclass(kw_only=True)
class CreationTokenView:
    """A token that creates one account."""

    token: Annotated[str, Field(examples=["8tuVPTa9XcQ2k"])]
    expire_at: Moment


@dataclass(kw_only=True)
class RequestTokenView:
    """A token that a human must validate, at `validation_url`."""

    token: Annotated[str, Field(examples=["7Ma0JzRtWg3kP"])]
    validation_url: Annotated[str | None, Field(examples=["https://example.org/creation_token/check/7Ma0JzRtWg3kP"])]
    expire_at: Moment


@dataclass(kw_only=True)
class ConsumedTokenView:
    """A creation token that was consumed for an account. It names the device that it was pushed to, if it was."""

    token: Annotated[str, Field(examples=["8tuVPTa9XcQ2k"])]
    pn_provider: Annotated[str | None, Field(examples=["fcm"])]
    pn_param: Annotated[str | None, Field(examples=["929724111839"])]
    pn_prid: Annotated[str | None, Field(examples=["dA1b:APA91b_x-y"])]
    used: Annotated[bool, Field(examples=[True])]
    account_id: AccountId
    ip: Address
    user_agent: Agent
    expire_at: Moment


@dataclass(kw_only=True)
class AuthTokenView:
    """A token to be attached to an account."""

    token: Annotated[str, Field(examples=["mI5wq3VmRtYc8nXe2LbZs0aTjHd7kPuG"])]
    created_at: Moment
    updated_at: Moment
    expire_at: Moment

    @classmethod
    def of(cls, token: AuthToken) -> "AuthTokenView":
        """Return the view of a token."""
        return cls(
            token=token.token, created_at=token.created_at, updated_at=token.created_at, expire_at=token.expires_at
        )


@dataclass(kw_only=True)
class ApiKeyView:
    """An API key."""

    api_key: Annotated[str, Field(examples=["kI9nXQ0m7VbYc2E5tRw8sL1uOa4dGf6hJzPq3xTy"])]
