"""Credentials of all kinds, as operators and scripts make, list, rotate and revoke them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from scim_server import clock
from scim_server.tenancy.bearer import Bearer
from scim_server.tenancy.refusals import Unauthenticated
from tests.cli.conftest import Command, answer, credential, done, refusal

URL = "https://scim.example"
FEDERATED = (
    "--kind",
    "federated",
    "--issuer",
    "https://login.microsoftonline.com/t/v2.0",
    "--subject",
    "s",
    "--audience",
    "api://a,api://b",
)


def test_a_credential_opens_its_tenant_and_no_other(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    assert made.keys() == {"id", "token", "tenant_url", "expires"}
    assert made["tenant_url"] == "http://127.0.0.1:8000/scim/v2"
    client = bearer.client(f"Bearer {made['token']}", "192.0.2.1", "r")
    assert (client.tenant_name, client.credential_id) == (tenant, made["id"])


def test_the_tenant_url_follows_from_public_url(cli: Command, tenant: str) -> None:
    made = answer(cli("credential", "create", "--tenant", tenant, "--json", PUBLIC_URL="https://scim.example.com"))
    assert made["tenant_url"] == "https://scim.example.com/scim/v2"


def test_people_are_told_what_to_paste_where(cli: Command, tenant: str) -> None:
    told = done(cli("credential", "create", "--tenant", tenant))
    assert "Tenant URL    http://127.0.0.1:8000/scim/v2" in told
    assert "Secret Token  scim_" in told
    assert "PUBLIC_URL" in told
    assert "PUBLIC_URL" not in done(cli("credential", "create", "--tenant", tenant, PUBLIC_URL="https://scim.example.com"))


def test_a_token_is_shown_once(cli: Command, tenant: str) -> None:
    token = credential(cli, tenant, "--label", "Entra")["token"]
    for command in (("credential", "list"), ("credential", "list", "--json"), ("audit", "list", "--tenant", tenant, "--json")):
        assert token not in done(cli(*command))


def test_credentials_are_listed_with_their_state(cli: Command, tenant: str) -> None:
    lasting = credential(cli, tenant, "--label", "lasting", "--expires", "never")
    yearly = credential(cli, tenant)
    revoked = credential(cli, tenant)
    done(cli("credential", "revoke", revoked["id"]))
    found = {each["id"]: each for each in answer(cli("credential", "list", "--tenant", tenant, "--json"))}
    assert {id: each["state"] for id, each in found.items()} == {lasting["id"]: "valid", yearly["id"]: "valid", revoked["id"]: "revoked"}
    assert found[lasting["id"]]["label"] == "lasting"
    assert found[lasting["id"]]["expires"] is None
    assert found[yearly["id"]]["expires"] is not None
    table = done(cli("credential", "list", "--tenant", tenant)).splitlines()
    assert table[0].split()[:4] == ["ID", "TENANT", "LABEL", "STATE"]
    assert len(table) == 4


def test_a_revoked_credential_opens_nothing(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    assert answer(cli("credential", "revoke", made["id"], "--json")) == {"id": made["id"], "revoked": True}
    with pytest.raises(Unauthenticated):
        bearer.client(f"Bearer {made['token']}", "192.0.2.1", "r")
    assert "to revoke" in refusal(cli("credential", "revoke", made["id"]))
    assert "to revoke" in refusal(cli("credential", "revoke", "no-such-id"))


@pytest.mark.parametrize("text", ["90", "0d", "-1d", "d", "1y", "1.5d", "tomorrow"])
def test_a_lifetime_that_is_none_is_refused(cli: Command, text: str) -> None:
    assert "90d" in refusal(cli("credential", "create", "--tenant", "x", "--expires", text), 2)


def opens(bearer: Bearer, token: str) -> bool:
    try:
        bearer.client(f"Bearer {token}", "192.0.2.1", "r")
    except Unauthenticated:
        return False
    return True


KINDS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "secret": ((), {"token"}),
    "client": (("--kind", "client"), {"client_id", "client_secret", "token_url"}),
    "federated": (FEDERATED, {"client_id", "token_url"}),
    "entra": (("--kind", "entra", "--tid", "TID"), set()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_scripts_get_what_the_kind_needs(cli: Command, tenant: str, kind: str) -> None:
    options, keys = KINDS[kind]
    options = tuple(each.replace("TID", str(uuid4())) for each in options)
    made: dict[str, Any] = answer(cli("credential", "create", "--tenant", tenant, *options, "--json", PUBLIC_URL=URL))
    assert made.keys() == {"id", "tenant_url", "expires"} | keys
    assert made["tenant_url"] == f"{URL}/scim/v2"
    assert made.get("client_id", made["id"]) == made["id"]
    assert made.get("token_url", f"{URL}/oauth/token") == f"{URL}/oauth/token"
    assert made.get("client_secret", "scim_client_").startswith("scim_client_")
    # What has no secret has none to be changed now and then, so by default it does not end.
    assert (made["expires"] is None) == (kind in ("federated", "entra"))
    shown = answer(cli("credential", "show", made["id"], "--json"))
    assert (shown["kind"], shown["tenant"], shown["scopes"]) == (kind, tenant, ["scim.read", "scim.write"])
    assert len(shown["secrets"]) == (kind in ("secret", "client"))
    assert (shown["trust"] is None) == (kind in ("secret", "client"))


PASTED: dict[str, tuple[str, ...]] = {
    "secret": ("Tenant URL", "Secret Token", "shown only now"),
    "client": ("Tenant URL", "Token Endpoint     https://scim.example/oauth/token", "Client Identifier", "Client Secret", "shown only now"),
    "federated": ("Tenant URL", "Token Endpoint", "Client Identifier", "No secret"),
    "entra": ("Tenant URL", "leave Secret Token blank"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_people_are_told_what_goes_where_for_each_kind(cli: Command, tenant: str, kind: str) -> None:
    options = (each.replace("TID", str(uuid4())) for each in KINDS[kind][0])
    told = done(cli("credential", "create", "--tenant", tenant, *options, PUBLIC_URL=URL))
    for words in PASTED[kind]:
        assert words in told
    assert ("shown only now" in told) == (kind in ("secret", "client"))


def test_a_credential_has_the_terms_that_were_given(cli: Command, tenant: str) -> None:
    options = ("--scope", "scim.read", "--scope", "audit.read", "--network", "203.0.113.0/24,2001:db8::/32", "--network", "192.0.2.7")
    made = credential(cli, tenant, "--label", "nightly", "--expires", "90d", *options)
    shown = answer(cli("credential", "show", made["id"], "--json"))
    assert shown["label"] == "nightly"
    assert shown["scopes"] == ["audit.read", "scim.read"]
    assert shown["networks"] == ["203.0.113.0/24", "2001:db8::/32", "192.0.2.7/32"]
    assert shown["expires"] == made["expires"] == shown["secrets"][0]["expires"]
    assert shown["last_used"] is None
    text = done(cli("credential", "show", made["id"]))
    for told in ("nightly", "Scopes      audit.read\n            scim.read\n", "2001:db8::/32", "never", tenant):
        assert told in text


def test_whom_a_credential_trusts_is_shown(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, *FEDERATED, "--audience", "api://c", "--jwks-uri", "https://login.microsoftonline.com/t/keys")
    trust = answer(cli("credential", "show", made["id"], "--json"))["trust"]
    assert trust == {
        "issuer": "https://login.microsoftonline.com/t/v2.0",
        "subject": "s",
        "audiences": ["api://a", "api://b", "api://c"],
        "jwks_uri": "https://login.microsoftonline.com/t/keys",
        "directory": None,
    }
    assert "api://c" in done(cli("credential", "show", made["id"]))


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "an issuer for a secret": (("--issuer", "https://x"), "--issuer belongs to a credential of kind federated or entra"),
    "an audience for a client": (("--kind", "client", "--audience", "a"), "--audience belongs to"),
    "a directory for a federated one": ((*FEDERATED, "--tid", "x"), "--tid belongs to a credential of kind entra"),
    "a subject for an entra one": (
        ("--kind", "entra", "--tid", "x", "--subject", "s"),
        "--subject belongs to a credential of kind federated",
    ),
    "keys for a secret": (("--jwks-uri", "https://x"), "--jwks-uri belongs to"),
    "nobody to trust": (("--kind", "federated", "--issuer", "https://x"), "needs --subject and --audience"),
    "no directory": (("--kind", "entra"), "needs --tid"),
    "an unknown kind": (("--kind", "password"), "federated"),
    "an unknown scope": (("--scope", "scim.read,admin"), "audit.read"),
    "no scope": (("--scope", ","), "audit.read"),
    "no network": (("--network", "everywhere"), "'everywhere' is no network"),
    "an address within a network": (("--network", "203.0.113.9/24"), "Do you mean 203.0.113.0/24?"),
    "too many networks": (("--network", ",".join(f"10.0.{n}.0/24" for n in range(101))), "at most 100"),
    "a label that cannot be read": (("--label", "a\x1b[2J"), "printable"),
    "a long label": (("--label", "x" * 101), "at most 100"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_a_sentence(cli: Command, tenant: str, case: str) -> None:
    options, told = REFUSED[case]
    assert told in refusal(cli("credential", "create", "--tenant", tenant, *options), 2)
    assert answer(cli("credential", "list", "--tenant", tenant, "--json")) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--kind", "federated", "--issuer", "http://evil.example", "--subject", "s", "--audience", "a"), "The issuer cannot be used"),
        (("--kind", "entra", "--tid", "contoso"), "no directory id"),
    ],
)
def test_whom_nobody_can_trust_is_refused(cli: Command, tenant: str, options: tuple[str, ...], told: str) -> None:
    assert told in refusal(cli("credential", "create", "--tenant", tenant, *options))


def test_a_directorys_tokens_open_one_credential_until_it_is_revoked(cli: Command, tenant: str) -> None:
    options = ("--kind", "entra", "--tid", str(uuid4()))
    made = credential(cli, tenant, *options)
    assert "Revoke" in refusal(cli("credential", "create", "--tenant", tenant, *options))
    done(cli("credential", "revoke", made["id"]))
    assert credential(cli, tenant, *options)["id"] != made["id"]


def test_states_follow_from_the_time(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, "--expires", "90d")
    found = {}
    for days in (0, 59, 61, 91):
        with time_machine.travel(clock.now() + timedelta(days=days), tick=False):
            found[days] = answer(cli("credential", "list", "--tenant", tenant, "--json"))[0]["state"]
    assert found == {0: "valid", 59: "valid", 61: "ends soon", 91: "expired"}
    with time_machine.travel(clock.now() + timedelta(days=91), tick=False):
        told = refusal(cli("credential", "rotate", made["id"]))
    assert "is expired" in told
    assert "credential create" in told


def test_the_list_fits_a_terminal_and_tells_of_the_last_use(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant, "--label", "a label that is quite long " * 3, "--scope", "scim.read,scim.write,audit.read")
    bearer.client(f"Bearer {made['token']}", "255.255.255.255", "r")
    table = done(cli("credential", "list", "--tenant", tenant)).splitlines()
    assert max(map(len, table)) <= 160
    assert "255.255.255.255" in table[1]
    assert "read,write,audit" in table[1]
    found = answer(cli("credential", "list", "--tenant", tenant, "--json"))[0]
    assert found["last_address"] == "255.255.255.255"
    assert found["last_used"] is not None
    assert len(found["label"]) == 81
    assert "255.255.255.255" in done(cli("credential", "show", made["id"]))


def test_a_rotated_secret_and_the_earlier_one_overlap(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    rotated = answer(cli("credential", "rotate", made["id"], "--overlap", "2d", "--expires", "90d", "--json"))
    assert rotated.keys() == {"id", "token", "tenant_url", "expires", "earlier_ends"}
    assert rotated["id"] == made["id"]
    assert rotated["earlier_ends"] < rotated["expires"]
    assert [opens(bearer, each["token"]) for each in (made, rotated)] == [True, True]
    assert [each["expires"] for each in answer(cli("credential", "show", made["id"], "--json"))["secrets"]] == [
        rotated["earlier_ends"],
        rotated["expires"],
    ]
    with time_machine.travel(clock.now() + timedelta(days=2, seconds=5), tick=False):
        assert [opens(bearer, each["token"]) for each in (made, rotated)] == [False, True]


def test_a_third_secret_is_refused_or_ends_the_others(cli: Command, tenant: str, bearer: Bearer) -> None:
    made = credential(cli, tenant)
    second = answer(cli("credential", "rotate", made["id"], "--json"))
    told = refusal(cli("credential", "rotate", made["id"]))
    assert "--overlap none" in told
    assert "credential show" in told
    third = answer(cli("credential", "rotate", made["id"], "--overlap", "none", "--json"))
    assert [opens(bearer, each["token"]) for each in (made, second, third)] == [False, False, True]
    assert "has ended" in done(cli("credential", "rotate", made["id"], "--overlap", "none"))
    assert "is good until" in done(cli("credential", "rotate", made["id"]))


def test_a_client_secret_is_rotated(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, "--kind", "client")
    rotated = answer(cli("credential", "rotate", made["id"], "--json", PUBLIC_URL=URL))
    assert rotated.keys() == {"id", "client_id", "client_secret", "token_url", "tenant_url", "expires", "earlier_ends"}
    assert rotated["client_secret"] != made["client_secret"]
    for command in (("credential", "show", made["id"]), ("audit", "list", "--tenant", tenant)):
        for options in ((), ("--json",)):
            told = done(cli(*command, *options))
            assert made["client_secret"] not in told
            assert rotated["client_secret"] not in told


def test_what_cannot_be_rotated_is_refused_with_a_way_on(cli: Command, tenant: str) -> None:
    federated = credential(cli, tenant, *FEDERATED)
    told = refusal(cli("credential", "rotate", federated["id"]))
    assert "has no secret" in told
    assert "--kind federated" in told
    revoked = credential(cli, tenant)
    done(cli("credential", "revoke", revoked["id"]))
    assert "is revoked" in refusal(cli("credential", "rotate", revoked["id"]))
    for verb in ("rotate", "show"):
        for unknown in ("no-such-id", str(uuid4())):
            assert "credential list" in refusal(cli("credential", verb, unknown))
    for options in (("--overlap", "soon"), ("--overlap", "0d"), ("--expires", "none")):
        assert "90d" in refusal(cli("credential", "rotate", federated["id"], *options), 2)


def test_a_revoked_credential_shows_when(cli: Command, tenant: str) -> None:
    made = credential(cli, tenant, "--expires", "never")
    done(cli("credential", "revoke", made["id"]))
    assert "revoked" in done(cli("credential", "show", made["id"]))
    assert answer(cli("credential", "show", made["id"], "--json"))["revoked"] is not None
