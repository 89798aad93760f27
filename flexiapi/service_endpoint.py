"""The base class of the endpoints that call services: those of the JSON API, and pages."""

from operator import attrgetter
from typing import Any, Protocol

from flexiapi.model import Actor, Space
from flexiapi.services import Services
from flexiapi.services.accounts import AccountServices
from flexiapi.services.calls import CallServices
from flexiapi.services.codes import CodeServices
from flexiapi.services.contacts import ContactServices
from flexiapi.services.phones import PhoneServices
from flexiapi.services.sign_in import SignInServices
from flexiapi.settings import Settings
from flexiapi.web.endpoint import Endpoint
from flexiapi.web.exchange import ServerContext


class ServicesContext(ServerContext, Protocol):
    """The part of the application that endpoints with services use."""

    services: Services


def _found_at(path: str) -> Any:
    """Return a property that reads an attribute by its dotted path, at the cost of an attribute."""
    return property(attrgetter(path))


class ServiceEndpoint(Endpoint):
    """The base class of the endpoints that call services.

    Attributes:
        accounts: the services about accounts.
        codes: the services about secrets that are sent to people.
        contacts: the services about contacts.
        phones: the services about phones.
        calls: the services about calls.
        sign_in: the services about sign-in.
        settings: the settings.
        space: the space that the request is for.
        actor: the origin of the changes that the request makes.
    """

    context: ServicesContext

    accounts: AccountServices = _found_at("context.services.accounts")
    codes: CodeServices = _found_at("context.services.codes")
    contacts: ContactServices = _found_at("context.services.contacts")
    phones: PhoneServices = _found_at("context.services.phones")
    calls: CallServices = _found_at("context.services.calls")
    sign_in: SignInServices = _found_at("context.services.sign_in")
    settings: Settings = _found_at("context.services.settings")
    space: Space = _found_at("host_space")
    actor: Actor = _found_at("originator")
