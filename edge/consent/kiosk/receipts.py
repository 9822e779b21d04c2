"""The receipt page: the code, the QR code, what was agreed and until when."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from edge.consent.kiosk.desk import Desk
from edge.consent.kiosk.qr import qr_svg

__all__ = ["receipt_routes"]


def receipt_routes(desk: Desk) -> APIRouter:
    """The receipt. Its codes are nowhere but in the visit that has just made them."""
    router = APIRouter()
    public_url = (desk.settings.kiosk.public_url or "").rstrip("/")

    @router.get("/receipt", response_class=HTMLResponse)
    def receipt(request: Request) -> Response:
        """The code in large type, the QR code, what was agreed."""
        visit = desk.visit(request)
        if visit.stay is None or visit.stay.slip is None or visit.subject is None:
            return desk.go(visit, visit.to() if visit.subject else "/")
        view = desk.registry.view(visit.subject)
        counting = view.granted()
        granted = [(desk.purposes.purpose(each.purpose), each) for each in view.purposes if each.purpose in counting]
        return desk.page(visit, "receipt.html", slip=visit.stay.slip, granted=granted, has_qr=bool(public_url))

    @router.get("/receipt.svg", response_class=Response)
    def qr(request: Request) -> Response:
        """The QR code, for this visit's eyes only."""
        visit = desk.visit(request)
        if visit.stay is None or visit.stay.slip is None or not public_url:
            return Response(status_code=404)
        picture = qr_svg(f"{public_url}/my/{visit.stay.slip.codes.link}")
        return Response(picture, media_type="image/svg+xml")

    return router
