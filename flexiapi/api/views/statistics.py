"""Views of statistics."""

from dataclasses import dataclass

from flexiapi.model import CreationCount


@dataclass(kw_only=True)
class CreationsView:
    """The accounts made in one period; `email` means those without a phone number."""

    all: int
    phone: int
    email: int
    activated_phone: int
    activated_email: int

    @classmethod
    def of(cls, made: CreationCount) -> "CreationsView":
        """Return the view of a period."""
        return cls(
            all=made.accounts,
            phone=made.with_phone,
            email=made.accounts - made.with_phone,
            activated_phone=made.activated_with_phone,
            activated_email=made.activated - made.activated_with_phone,
        )
