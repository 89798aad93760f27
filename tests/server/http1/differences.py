"""Known differences of our server from Tornado's and from h11, each with the reason why ours is right."""

import re
from dataclasses import dataclass

SAME, FEWER, MORE, OTHER = "same", "fewer", "more", "other"


@dataclass(frozen=True)
class Difference:
    """A difference that is meant. `kind` says which requests ours takes, compared with the other server."""

    kind: str
    pattern: bytes
    reason: str

    def explains(self, data, ours, theirs):
        """Return whether the verdicts differ in this way, in bytes that have what the reason is about."""
        return relation(ours, theirs) == self.kind and re.search(self.pattern, data, re.DOTALL) is not None


def relation(ours, theirs):
    """Return how the requests that ours takes relate to those of another."""
    both = list(zip(ours.requests, theirs.requests, strict=False))
    if any(mine != other for mine, other in both):
        return OTHER
    if len(ours.requests) == len(theirs.requests):
        return SAME
    return FEWER if len(ours.requests) < len(theirs.requests) else MORE


def agree(ours, theirs):
    """Return whether two servers take the same requests. They may refuse what follows sooner or later."""
    return relation(ours, theirs) == SAME


def laxer(data, ours, tornado, h11):
    """Return whether ours takes a request that neither of the others takes."""
    if {relation(ours, tornado), relation(ours, h11)} & {SAME, FEWER}:
        return False
    explained = (
        any(difference.explains(data, ours, theirs) for difference in table)
        for theirs, table in ((tornado, FROM_TORNADO), (h11, FROM_H11))
    )
    return not all(explained)


_LAST_ONE = "RFC 9112, 9.6: after a request that closes the connection a server answers no other"
_HIGHER = "RFC 9112, 2.3: 1.0 and 1.1 are the versions of this protocol that we implement"
_LINE_FEED = (
    "RFC 9112, 2.2: a lone line feed may be refused as a line end, and two readings of it are how requests hide"
)
_CONTROL = "RFC 9110, 5.5: a field or an extension with a control character or a lone CR is not valid"
_FRAMING_TRAILER = "RFC 9110, 6.5.1: a trailer says nothing about the framing, and one that does may be an attempt"
_TWO_LENGTHS = "RFC 9112, 6.3: several lengths may be refused even if they are equal"
_EXTENSION = "RFC 9112, 7.1.1: a recipient ignores chunk extensions that it does not know"
_TRAILER = "RFC 9112, 7.1.2: trailers may be dropped; they never become headers"
_EMPTY_LINES = "RFC 9112, 2.2: a server ignores at least one empty line before a request; more do no harm"
_ABSOLUTE = "RFC 9112, 3.2.2: an absolute target is accepted, and its host is the one that counts"
_BOTH = "RFC 9112, 6.1: a request with a length and a coding may be refused, for others take it for two"
_EXPECTATION = "RFC 9110, 10.1.1: an expectation other than `100-continue` is 417"
_FORM = "RFC 9112, 3.2: a target is a path, an absolute URI, or for OPTIONS an asterisk"

FROM_TORNADO = (
    Difference(FEWER, rb"HTTP/1\.[2-9]", _HIGHER),
    Difference(FEWER, rb"(?<!\r)\n", _LINE_FEED),
    Difference(FEWER, rb"\r(?!\n)", _CONTROL),
    Difference(FEWER, rb"(?i)content-length:.*(,|content-length:)", _TWO_LENGTHS),
    Difference(FEWER, rb"(?i)connection:[^\n]*close|HTTP/1\.0", _LAST_ONE),
    Difference(FEWER, rb" [^/ ][^ ]* HTTP", _FORM),
    Difference(FEWER, rb"(?i)expect:", _EXPECTATION),
    Difference(MORE, rb"[0-9a-fA-F][ \t]*;", _EXTENSION),
    Difference(MORE, rb"(?i)\n0+\r\n[^\r]", _TRAILER),
    Difference(MORE, rb"(^|\n)\r\n\r\n", _EMPTY_LINES),
    Difference(OTHER, rb"(?i) https?://", _ABSOLUTE),
)
FROM_H11 = (
    Difference(FEWER, rb"HTTP/([02-9]\.[0-9]|1\.[2-9])", _HIGHER),
    Difference(FEWER, rb"(?<!\r)\n", _LINE_FEED),
    Difference(FEWER, rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)", _CONTROL),
    Difference(FEWER, rb";[^\r]{256}", "extensions are dropped unseen; none over 256 bytes is meant for us"),
    Difference(FEWER, rb"(?i)content-length:.*(,|content-length:)", _TWO_LENGTHS),
    Difference(FEWER, rb" [^/ ][^ ]* HTTP", _FORM),
    Difference(
        FEWER, rb"(?i)host:[^\n]*([^\[\]:A-Za-z0-9\-._~\s]|\S[ \t]+\S)", "RFC 9112, 3.2: an invalid Host is refused"
    ),
    Difference(FEWER, rb"(?i)HTTP/1\.0.*transfer-encoding", "RFC 9112, 6.1: a coding in HTTP/1.0 is a faulty framing"),
    Difference(FEWER, rb"\r\n[ \t]", "RFC 9112, 5.2: a folded line may be refused, and is read in two ways by others"),
    Difference(FEWER, rb"[0-9a-fA-F][ \t]+\r", "RFC 9112, 7.1: no space follows the size of a chunk"),
    Difference(FEWER, rb"(?i)\n0+[^\n]*\n.*(transfer-encoding|content-length):", _FRAMING_TRAILER),
    Difference(FEWER, rb"(?i)expect:", _EXPECTATION),
    Difference(FEWER, rb"(?i)(content-length:.*transfer-encoding:|transfer-encoding:.*content-length:)", _BOTH),
    Difference(
        MORE,
        rb"(?i)HTTP/1\.0.*connection:[^\n]*keep-alive",
        "clients of 1.0 may ask to keep the connection; h11 has no such",
    ),
    Difference(MORE, rb"(^|\n)\r\n|^[\r\n]", _EMPTY_LINES),
    Difference(
        MORE,
        rb" [^ ]*[\x80-\xff][^ ]* HTTP",
        "old clients send UTF-8 in targets; the application has it as on Tornado's server",
    ),
    Difference(OTHER, rb"(?i) https?://", _ABSOLUTE),
)
