"""Messages of refused codes and tokens, which are those of unknown ones."""

import pytest

TEXT = "This does not exist, or the code or token is not valid."


@pytest.fixture
def configure():
    return {"app": {"dangerous_endpoints": True}}


def test_the_text_fits_codes_and_tokens_and_tells_no_causes_apart(http, alice, admin):
    request_token = http.post("/api/account_creation_request_tokens").json()["token"]
    exchange = "/api/account_creation_tokens/using-account-creation-request-token"
    answers = [
        *(
            http.post(f"/api/accounts/{sip}/activate/phone", json={"code": "0000"})
            for sip in (alice.sip, "no@where.org")
        ),
        *(http.get(f"/api/accounts/{sip}/recover/0000") for sip in (alice.sip, "no@where.org")),
        *(http.post(exchange, json={"account_creation_request_token": token}) for token in (request_token, "x" * 13)),
        http.get(f"/api/accounts/auth_token/{'x' * 32}/attach", headers=alice.headers),
        http.get("/api/accounts/999", headers=admin.headers),
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert answers[0].json() == {"message": TEXT}
