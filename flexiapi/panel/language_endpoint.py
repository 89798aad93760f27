"""The choice of the language of pages."""

from flexiapi.errors import ValidationFailed
from flexiapi.language_tags import matched
from flexiapi.panel import places
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.panel.languages import COOKIE, LanguageForm
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_YEAR = 365 * 24 * 3600


class LanguageEndpoint(FormEndpoint):
    """The language of pages, and of mails and SMS to the account that is signed in."""

    path = "/language"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Show the languages."""
        await self.visitor()
        return await self.show()

    @endpoint(Access.PUBLIC, hidden=True)
    async def post(self, body: LanguageForm) -> PageReply:
        """Choose a language, and go back to the page."""
        language = matched([body.language], [one.tag for one in self.offered_languages()])
        if language is None:
            raise ValidationFailed({"language": ["language is not one of this service"]})
        session = await self.visitor()
        if session is not None and session.account.language != language:
            await self.accounts.languages.set(session.account, language, self.actor)
        return self.see_other(places.local(body.next, "/"), cookies=[self.new_cookie(COOKIE, language, _YEAR)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        choices = [Choice(one.tag, one.name) for one in self.offered_languages()]
        form = self.form(
            LanguageForm,
            filled,
            action="/language",
            initial={"language": self.language.templates},
            choices={"language": choices},
        )
        return self.panel_page(FormPage(self.frame(marked("Language")), form))
