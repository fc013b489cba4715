"""Headers of answers that are polled: proxies must not cache them."""

from hashlib import blake2b

from django.utils.cache import patch_cache_control, patch_vary_headers


def private(response):
    patch_cache_control(response, private=True, no_cache=True)
    patch_vary_headers(response, ["HX-Request"])
    return response


def guarded(response):
    """Headers for what a run wrote itself: it must not act as a page of ours."""
    response["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    response["X-Content-Type-Options"] = "nosniff"
    return private(response)


def hash_of(*parts) -> str:
    return blake2b("|".join(map(str, parts)).encode(), digest_size=12).hexdigest()
