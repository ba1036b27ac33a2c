"""Which URLs go through a proxy: the same rule for API requests and for files."""

from __future__ import annotations

import os

import pytest

from aignostics_async import Client, ConfigurationError
from aignostics_async._core._proxies import Proxy, proxy_for
from aignostics_async.transfer.connections._proxy_urls import proxy_address

PROXY = "http://proxy.example.com:3128"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", PROXY)


def is_proxied(url: str) -> bool:
    found = proxy_for(url, proxy=None, trust_env=True)
    assert found in (Proxy(PROXY), None)
    return found is not None


@pytest.mark.parametrize(
    ("no_proxy", "excepted", "proxied"),
    [
        ("*", ["https://a.example.com", "https://10.0.0.1", "https://[fd00::1]"], []),
        ("example.com", ["https://example.com", "https://a.EXAMPLE.com.:8443"], ["https://notexample.com"]),
        (".example.com", ["https://a.example.com", "https://example.com"], ["https://example.com.org"]),
        ("*.example.com", ["https://a.example.com"], ["https://notexample.com"]),
        ("Example.COM", ["https://example.com"], []),
        ("example.com:8443", ["https://a.example.com:8443"], ["https://a.example.com"]),
        ("example.com:443", ["https://example.com"], ["https://example.com:444"]),
        ("10.0.0.0/8", ["https://10.1.2.3", "https://[::ffff:10.1.2.3]"], ["https://11.0.0.1"]),
        ("::ffff:10.0.0.1", ["https://10.0.0.1"], ["https://10.0.0.2"]),
        ("10.1.2.3/8", ["https://10.200.0.1"], ["https://11.0.0.1"]),
        ("10.0.0.1", ["https://10.0.0.1:9000"], ["https://10.0.0.10"]),
        ("10.0.0.1:9000", ["https://10.0.0.1:9000"], ["https://10.0.0.1"]),
        ("fd00::/8", ["https://[fd12::1]", "https://[fd00::1]:9000"], ["https://[fe80::1]"]),
        ("[fd00::]/8", ["https://[fd12::1]"], ["https://[2001:db8::1]"]),
        ("fd00::1", ["https://[fd00:0:0::1]"], ["https://[fd00::2]"]),
        ("[fd00::1]", ["https://[fd00::1]"], ["https://[fd00::2]"]),
        ("[fd00::1]:9000", ["https://[fd00::1]:9000"], ["https://[fd00::1]"]),
        ("a.org, example.com b.org", ["https://b.org", "https://example.com"], ["https://c.org"]),
        (",, ,", [], ["https://example.com"]),
        ("münchen.example", ["https://a.xn--mnchen-3ya.example"], ["https://munchen.example"]),
        ("xn--mnchen-3ya.example", ["https://münchen.example"], ["https://munchen.example"]),
        ("fd00::/999,[::,:80,http://,10.0.0.0/40,.", [], ["https://example.com", "https://10.0.0.1"]),
    ],
)
def test_the_rule_of_no_proxy(
    no_proxy: str, excepted: list[str], proxied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert [url for url in excepted if is_proxied(url)] == []
    assert [url for url in proxied if not is_proxied(url)] == []


def test_an_empty_no_proxy_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.setenv("no_proxy", "")
    assert not is_proxied("https://example.com")
    assert is_proxied("https://example.org")


def test_the_scheme_chooses_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("http://a.example.com", proxy=None, trust_env=True) is None
    monkeypatch.setenv("all_proxy", "other.example.com")
    assert proxy_for("http://a.example.com", proxy=None, trust_env=True) == Proxy("http://other.example.com")
    assert is_proxied("https://a.example.com")


def test_a_proxy_that_is_given_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxy_for("https://a.example.com", proxy="http://mine", trust_env=True) == Proxy("http://mine")
    assert proxy_for("https://a.example.com", proxy=None, trust_env=False) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"])
def test_this_machine_is_reached_directly(host: str) -> None:
    assert proxy_for(f"https://{host}:8000", proxy="http://mine", trust_env=True) is None


@pytest.mark.parametrize("no_proxy", ["fd00::/8", "[fd00::1]", "[::", "fd00::/999", "a b:c:d,%"])
async def test_no_value_of_no_proxy_stops_a_client(no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    async with Client("https://host.example.com", "x"):
        pass


async def test_a_proxy_of_an_impossible_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:password@127.0.0.1:99999")
    with pytest.raises(ConfigurationError, match="the proxy can't be used") as refused:
        async with Client("https://host.example.com", "x"):
            raise AssertionError
    assert "password" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        ("http://proxy.example.com:3128", None),
        ("http://user:password@proxy.example.com:3128", ("user", "password")),
        ("http://user@proxy.example.com:3128", ("user", "")),
        ("http://us%40er:pass%2Fword@proxy.example.com:3128", ("us@er", "pass/word")),
        ("http://user:p/a#s?s@word:1@proxy.example.com:3128", ("user", "p/a#s?s@word:1")),
        ("proxy.example.com:3128", None),
        ("http://proxy.example.com:3128/word?word#word", None),
        ("//user:password@proxy.example.com:3128", ("user", "password")),
        ("user:pass://word@proxy.example.com:3128", ("user", "pass://word")),
    ],
)
def test_a_password_is_no_part_of_the_url_of_a_proxy(url: str, auth: tuple[str, str] | None) -> None:
    proxy = Proxy.parse(url)
    assert proxy.url == PROXY
    assert proxy.auth == auth
    assert "word" not in repr(proxy)


@pytest.mark.parametrize("proxy", ["http://proxy.invalid", "proxy.invalid/", " http://proxy.invalid:80\n"])
async def test_api_and_files_understand_a_proxy_alike(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    found = proxy_for("https://a.example.com", proxy=None, trust_env=True)
    assert found is not None
    assert (proxy_address(found).hostname, proxy_address(found).port or 80) == ("proxy.invalid", 80)
    async with Client("https://host.example.com", "x"):
        pass


@pytest.mark.parametrize("proxy", ["http://[::1", "http://proxy:port", "socks5://proxy:1080", "http://"])
def test_a_proxy_that_files_cant_use_is_a_setting_to_change(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="http://host:port"):
        proxy_address(Proxy.parse(proxy))
