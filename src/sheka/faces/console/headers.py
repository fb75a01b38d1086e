"""What every answer of the web process tells a browser to keep it from: foreign content, frames, devices (ASVS 3.4)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Response = Callable[[HttpRequest], HttpResponse]
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "worker-src 'none'",
        "manifest-src 'none'",
    )
)
"""No inline style or script, nothing from elsewhere; `data:` for the pictures of documents, which have no address."""
DEVICES = ("accelerometer", "camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
NO_DEVICES = ", ".join(f"{device}=()" for device in DEVICES)
"""The one page that has a camera says so itself."""
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": NO_DEVICES,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
}


def browser_limits(get_response: Response) -> Response:
    """Every answer carries these, static files and errors too; a view may set its own."""

    def limits(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        return response

    return limits
