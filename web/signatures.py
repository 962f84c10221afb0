"""Prove that a webhook comes from the vendor, before anything of it is parsed."""

from __future__ import annotations

import base64
import hmac
import re
from hashlib import sha256

HUBSPOT_WINDOW_MS = 300_000
SLACK_WINDOW_S = 300
# The reserved characters HubSpot decodes before it signs; everything else in the URI stays as it was sent.
HUBSPOT_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'",
    "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


def is_from_hubspot(
    secret: str, method: str, uri: str, body: bytes, signature: str, timestamp: str, now_ms: int
) -> bool:
    """HubSpot's request signature v3: base64 of HMAC-SHA256 over method + URI + raw body + timestamp.

    `uri` is our public address as configured, never what the Host header says. Refuses timestamps more than five
    minutes away on either side; HubSpot's own library accepts future ones.
    """
    if not secret or not re.fullmatch("[0-9]{1,15}", timestamp) or abs(now_ms - int(timestamp)) > HUBSPOT_WINDOW_MS:
        return False
    for encoded, plain in HUBSPOT_DECODED.items():
        uri = uri.replace(encoded, plain).replace(encoded.lower(), plain)
    signed = method.encode() + uri.encode() + body + timestamp.encode()
    expected = base64.b64encode(hmac.new(secret.encode(), signed, sha256).digest())
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def is_from_slack(secret: str, body: bytes, signature: str, timestamp: str, now_s: float) -> bool:
    """Slack's request signature v0: hex HMAC-SHA256 over version, timestamp and raw body.

    As `slack_sdk.signature.SignatureVerifier`, which raises for a timestamp that is no number and for a body or a
    signature that is not text.
    """
    if not secret or not re.fullmatch("[0-9]{1,12}", timestamp) or abs(now_s - int(timestamp)) > SLACK_WINDOW_S:
        return False
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), signed, sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
