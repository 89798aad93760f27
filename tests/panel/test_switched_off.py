"""Servers without the panel: as before there was one."""

import pytest


class TestWithoutThePanel:
    @pytest.fixture
    def configure(self):
        return {"panel": {"enabled": False}, "spaces": {"b.example.org": {"name": "Bee"}}}

    def test_its_paths_do_not_exist(self, http):
        for method, path in (
            ("GET", "/login"),
            ("POST", "/authenticate"),
            ("GET", "/dashboard"),
            ("GET", "/assets/logo"),
        ):
            answer = http.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")

    def test_the_root_says_what_the_server_is_for(self, http):
        for host, text in (("a.example.org", 'href="api"'), ("b.example.org", "Bee")):
            answer = http.get("/?x=1", headers={"Accept": "text/html", "Host": host})
            assert (answer.status_code, text in answer.text) == (200, True)
        assert http.get("/").status_code == 404

    def test_pages_that_apps_lead_to_stay(self, http):
        answer = http.get("/creation_token/check/unknown", headers={"Accept": "text/html"})
        assert "This link has expired" in answer.text
