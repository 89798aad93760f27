"""Actions and account types."""

import pytest

pytestmark = pytest.mark.conformance


class TestActions:
    @pytest.fixture
    def url(self, factory):
        return f"/api/accounts/{factory(dtmf_protocol='sipinfo').id}/actions"

    def test_creation_and_list(self, http, admin, url):
        made = http.post(url, json={"key": "abc1234", "code": "123"}, headers=admin.headers)
        assert made.status_code == 201
        assert http.get(url, headers=admin.headers).json() == [made.json()]

    @pytest.mark.parametrize("body", [{"code": "123"}, {"key": "Abc1234", "code": "123"}])
    def test_wrong_keys(self, http, admin, url, body):
        refused = http.post(url, json=body, headers=admin.headers)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["key"])

    def test_no_protocol(self, http, admin, factory):
        person = factory()
        url = f"/api/accounts/{person.id}"
        assert http.post(f"{url}/actions", json={"key": "a", "code": "1"}, headers=admin.headers).status_code == 403
        assert http.get(f"{url}/actions", headers=admin.headers).status_code == 403
        assert http.get(url, headers=admin.headers).json()["actions"] == []

    def test_change_and_removal(self, http, admin, url):
        made = http.post(url, json={"key": "abc1234", "code": "123"}, headers=admin.headers).json()
        one = f"{url}/{made['id']}"
        changed = http.put(one, json={"key": "abc1234", "code": "321"}, headers=admin.headers)
        assert (changed.status_code, changed.json()["code"]) == (200, "321")
        assert http.get(url, headers=admin.headers).json()[0]["code"] == "321"
        assert http.delete(one, headers=admin.headers).status_code == 200
        assert http.get(url, headers=admin.headers).json() == []


class TestTypes:
    URL = "/api/account_types"

    @pytest.fixture
    def phone(self, http, admin):
        made = http.post(self.URL, json={"key": "phone"}, headers=admin.headers)
        assert made.status_code == 201
        assert made.json()["key"] == "phone"
        return made.json()

    def test_list(self, http, admin, phone):
        assert http.get(self.URL, headers=admin.headers).json() == [phone]

    @pytest.mark.parametrize("body", [{"key": "phone"}, {}, {"key": "Abc1234"}])
    def test_wrong_keys(self, http, admin, phone, body):
        refused = http.post(self.URL, json=body, headers=admin.headers)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["key"])

    def test_change_and_removal(self, http, admin, phone):
        one = f"{self.URL}/{phone['id']}"
        assert http.put(one, json={"key": "door"}, headers=admin.headers).status_code == 200
        assert http.get(self.URL, headers=admin.headers).json() == [{**phone, "key": "door"}]
        assert http.delete(one, headers=admin.headers).status_code == 200
        assert http.get(self.URL, headers=admin.headers).json() == []

    def test_on_an_account(self, http, admin, factory, phone):
        account = f"/api/accounts/{factory().id}"
        url = f"{account}/types/{phone['id']}"
        assert http.post(url, headers=admin.headers).status_code == 200
        assert http.post(url, headers=admin.headers).status_code == 403
        assert http.get(account, headers=admin.headers).json()["types"] == [phone]
        assert http.delete(url, headers=admin.headers).status_code == 200
        assert http.delete(url, headers=admin.headers).status_code == 403
