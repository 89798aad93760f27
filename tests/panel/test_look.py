"""The settings of the panel that its pages show."""

from base64 import b64decode

from tests.kit.server import serving
from tests.kit.visitor import Visitor

PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==")
OTHER = "accounts.b.example.org"


def test_a_domain_has_its_own_colour_and_logo(tmp_path, mongod_uri):
    (tmp_path / "bee.png").write_bytes(PNG)
    bee = {"host": OTHER, "name": "Bee", "hue": 120, "logo": str(tmp_path / "bee.png")}
    with serving({"panel": {"hue": 15}, "spaces": {"b.example.org": bee}}, tmp_path, mongod_uri) as server:
        ours, other = Visitor(server.url), Visitor(server.url, headers={"Host": OTHER})
        page, pages_of_other = ours.open("/login").text, other.open("/login").text
        assert (":root{--hue:15}" in page, "/assets/logo" in page) == (True, False)
        assert (":root{--hue:120}" in pages_of_other, 'src="/assets/logo"' in pages_of_other) == (True, True)
        assert "Bee</title>" in pages_of_other
        assert ours.open("/assets/logo").status_code == 404
        picture = other.open("/assets/logo")
        assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
        ours.close()
        other.close()


def test_what_the_settings_do_not_have_is_not_offered_and_refused(tmp_path, mongod_uri):
    with serving({"panel": {"session_days": 0, "phone": False}}, tmp_path, mongod_uri) as server:
        visitor, person = Visitor(server.url), server.person(phone="+33612345699")
        page = visitor.open("/login").text
        assert ('name="stay"' in page, "/recover/phone" in page) == (False, False)
        visitor.send("/authenticate", username=person.account.username, password=person.password, stay="true")
        assert [cookie.expires for cookie in visitor.http.cookies.jar if cookie.name == "flexiapi"] == [None]
        visitor.http.cookies.clear()
        visitor.open("/recover/email")
        before = len(server.messages)
        answer = visitor.send("/recover", by="phone", phone="+33612345699")
        server.run(server.services.codes.web_recovery.finished())
        assert (answer.status_code, len(server.messages)) == (422, before)
        visitor.close()
