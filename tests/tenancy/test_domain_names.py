"""What people type for a domain, and what becomes of it."""

from __future__ import annotations

import pytest

from scim_server.tenancy.domain_names import LONGEST, NotADomain, normalise


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("contoso.com", "contoso.com"),
        ("  Contoso.COM.\n", "contoso.com"),
        ("@contoso.com", "contoso.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("ｃｏｎｔｏｓｏ。com", "contoso.com"),
        ("a-1.b2.contoso.co.uk", "a-1.b2.contoso.co.uk"),
        ("co.uk", "co.uk"),  # proved by whoever writes into that zone, and by nobody else
        ("outlook.contoso.com", "outlook.contoso.com"),
        ("gmail.com.contoso.com", "gmail.com.contoso.com"),
        ("notgmail.com", "notgmail.com"),
        ("yahoo.contoso.de", "yahoo.contoso.de"),
        ("x." * 98 + "com", "x." * 98 + "com"),
    ],
)
def test_a_domain_has_one_form(typed: str, name: str) -> None:
    assert normalise(typed) == name
    assert normalise(name) == name


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "There is no domain"),
        (" . ", "There is no domain"),
        ("@", "There is no domain"),
        ("anna@contoso.com", "is an e-mail address. Enter what stands behind the @"),
        ("@@contoso.com", "is an e-mail address"),
        ("https://contoso.com/x", "is a URL"),
        ("contoso.com/x", "is a URL"),
        ("contoso.com:443", "has a port"),
        ("192.0.2.1", "is an IP address"),
        ("[2001:db8::1]", "is an IP address"),
        ("2001:db8::1", "is an IP address"),
        ("1.2.3", "is an address or a number"),
        ("contoso", "is not a whole domain"),
        ("com.", "is not a whole domain"),
        ("*.contoso.com", "has a wildcard"),
        ("_dmarc.contoso.com", "cannot be a domain"),
        ("-contoso.com", "cannot be a domain"),
        ("contoso-.com", "cannot be a domain"),
        ("con..toso.com", "cannot be a domain"),
        (".contoso.com", "cannot be a domain"),
        ("contoso.com..", "cannot be a domain"),
        ("con toso.com", "cannot be a domain"),
        ("contoso\x1b[2J.com", "cannot be a domain"),
        ("contoso\u202e.com", "cannot be a domain"),
        ("contoso.com\x00", "cannot be a domain"),
        ("xn--a.com", "cannot be a domain"),
        ("x" * 64 + ".com", "cannot be a domain"),
        ("x." * 99 + "com", f"{LONGEST} are the most"),
        ("ü." * 120 + "com", "cannot be a domain"),
        ("x" * 100_000, f"{LONGEST} are the most"),
        ("gmail.com", "Anybody can have an address in gmail.com"),
        ("Sales.GMail.com.", "Anybody can have an address in sales.gmail.com"),
        ("hotmail.com", "Anybody"),
        ("hotmail.co.uk", "Anybody"),
        ("outlook.com.br", "Anybody"),
        ("live.com", "Anybody"),
        ("yahoo.co.jp", "Anybody"),
        ("mail.yahoo.co.jp", "Anybody"),
        ("icloud.com", "Anybody"),
        ("gmx.net", "Anybody"),
        ("web.de", "Anybody"),
        ("t-online.de", "Anybody"),
        ("proton.me", "Anybody"),
        ("qq.com", "Anybody"),
        ("contoso.onmicrosoft.com", "is Microsoft's"),
        ("onmicrosoft.com", "is Microsoft's"),
        ("contoso.mail.onmicrosoft.com", "Sign-in of such addresses goes by the directory"),
        ("contoso.onmicrosoft.us", "is Microsoft's"),
        ("contoso.partner.onmschina.cn", "is Microsoft's"),
    ],
)
def test_what_can_be_no_customers_domain_is_told_why(typed: str, told: str) -> None:
    with pytest.raises(NotADomain) as refusal:
        normalise(typed)
    text = str(refusal.value)
    assert told in text
    assert text.isprintable()
    assert len(text) < 400
