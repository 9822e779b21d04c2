"""The QR code of a receipt: the address of the shopper's own page."""

from __future__ import annotations

from io import BytesIO

import segno

__all__ = ["qr_svg"]


def qr_svg(address: str) -> bytes:
    """An SVG picture of a QR code for `address`: black on white whatever the page's colours, with its quiet zone."""
    picture = BytesIO()
    segno.make(address, error="m", micro=False).save(
        picture, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return picture.getvalue()
