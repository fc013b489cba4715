"""Whose address a request has, behind a proxy of ours and without one."""

from ipaddress import ip_network

import pytest

from studio.core.addresses import address_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),  # no proxy of ours says so
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (
            "127.0.0.1",
            "198.51.100.1, 203.0.113.9",
            "203.0.113.9",
        ),  # the caller made the first one up
        ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "x" * 10_000, "127.0.0.1"),
        ("", "203.0.113.9", None),
    ],
)
def test_only_a_proxy_of_ours_says_whom_it_forwards_for(rf, peer, forwarded, address):
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    assert address_of(rf.get("/", REMOTE_ADDR=peer, **more)) == address


def test_proxies_are_a_setting(rf, settings):
    settings.STUDIO_TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert address_of(rf.get("/", REMOTE_ADDR="10.1.2.3", **forwarded)) == "203.0.113.9"
    assert address_of(rf.get("/", REMOTE_ADDR="127.0.0.1", **forwarded)) == "127.0.0.1"
