//! What every response tells the browser, whoever made it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// No script at all, no style but our own sheet, nobody's frame. `data:` is for drawings in pages.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Two years, as browsers' lists want it. Without `includeSubDomains`: other names are not ours to decide on.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Features that no page of ours uses; passkeys are allowed to ourselves.
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), fullscreen=(), geolocation=(), gyroscope=(), \
     hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), \
     payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), \
     usb=(), web-share=(), xr-spatial-tracking=()",
);

/// `same-origin` tells other sites as little as `no-referrer` does: nothing. But with `no-referrer` browsers write
/// `Origin: null` on our own forms, and those that send no `Sec-Fetch-Site` (Safari before 16.4) could not sign in.
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

/// Sets them. A handler's own word counts for caching only: a stylesheet may be kept, a page never.
pub(super) fn secure(headers: &mut HeaderMap, is_https: bool) {
    let always = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // For browsers that do not know `frame-ancestors`.
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, REFERRER),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    headers.extend(always);
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
