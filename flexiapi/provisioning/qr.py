"""QR codes of provisioning URLs."""

from io import BytesIO

from PIL import Image
from qrcode.constants import ERROR_CORRECT_H
from qrcode.image.pil import PilImage
from qrcode.main import QRCode

_MODULES_PIXELS = 300
_MARGIN_PIXELS = 10


def png(url: str) -> bytes:
    """Return a black on white PNG of 320 x 320 pixels with the URL; it takes milliseconds, so call it in a thread.

    Raises `qrcode.exceptions.DataOverflowError` for more than 1273 bytes.
    """
    code: QRCode[PilImage] = QRCode(error_correction=ERROR_CORRECT_H, border=0)
    code.add_data(url.encode())
    code.make(fit=True)
    dark = code.get_matrix()
    modules = Image.new("1", (len(dark), len(dark)))
    modules.putdata([not module for row in dark for module in row])
    picture = Image.new("1", (_MODULES_PIXELS + 2 * _MARGIN_PIXELS,) * 2, 1)
    # Modules of whole pixels would make the picture smaller than promised; readers tolerate a pixel more or less.
    picture.paste(modules.resize((_MODULES_PIXELS,) * 2, Image.Resampling.NEAREST), (_MARGIN_PIXELS,) * 2)
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
