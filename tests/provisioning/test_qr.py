"""An independent reader finds the URL in the picture."""

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from flexiapi.provisioning import qr


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/provisioning/AbCdEfGhIjKlM",
        "https://accounts.sip.example.org/provisioning/AbCdEfGhIjKlM?reset_password=1",
        "https://bücher.example/flexiapi/" + "long/" * 60 + "provisioning/AbCdEfGhIjKlM?reset_password=1",
    ],
)
def test_the_picture_holds_the_url(url):
    picture = Image.open(BytesIO(qr.png(url)))
    assert picture.format == "PNG"
    assert picture.size == (320, 320)
    found = zxingcpp.read_barcodes(picture.convert("L"))
    assert [code.text for code in found] == [url]
    assert found[0].format == zxingcpp.BarcodeFormat.QRCode
    assert found[0].ec_level == "H"


def test_the_modules_fill_300_pixels():
    picture = Image.open(BytesIO(qr.png("https://a.example/")))
    dark = picture.convert("L").point(lambda value: 255 - value)
    assert dark.getbbox() == (10, 10, 310, 310)
