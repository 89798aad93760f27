"""Whole answers of pages without what is random in them, to compare what two people are told."""

import re

_RANDOM = re.compile(
    r'(name="form_token" value=")[^"]*|(nonce=")[^"]*|(data:image/png;base64,)[^"]*|(/authenticate/qrcode/)\w+'
)
# Waits are as long, but two answers are some seconds apart.
_SECONDS = re.compile(r"\b86[34][0-9]{2}\b|(?<=in )[0-9]+(?= seconds?\b)")


def told(answer, *private):
    """Everything that an answer tells, but for random values and the texts in `private`, which were typed."""
    text = _RANDOM.sub(lambda match: "".join(filter(None, match.groups())) + "*", answer.text)
    text = _SECONDS.sub("*", text)
    for typed in private:
        text = text.replace(typed, "*")
    cookies = sorted(re.sub(r"=[^;]*", "=*", cookie, count=1) for cookie in answer.headers.get_list("set-cookie"))
    varying = {"set-cookie", "date", "x-request-id", "content-length", "content-security-policy"}
    headers = sorted((name, _SECONDS.sub("*", value)) for name, value in answer.headers.items() if name not in varying)
    return answer.status_code, headers, cookies, text
