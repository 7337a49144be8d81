"""Tenants, credentials and domains that somebody should do something about; issuers that the server needs."""

from __future__ import annotations

from scim_server import clock
from scim_server.cli.doctor.verdicts import Patient, Verdict, fine, listed, warning
from scim_server.cli.output import command
from scim_server.store.registry import Credential
from scim_server.tenancy import clouds
from scim_server.tenancy.admission import WARN_BEFORE
from scim_server.tenancy.certificates import WARN_BEFORE as BEFORE_IT_ENDS
from scim_server.tenancy.certificates import expires


def tenants(patient: Patient) -> list[Verdict]:
    """How many there are, and who is suspended."""
    found = patient.registry.tenants.list()
    if not found:
        return [fine(f"There is none yet. To make one: {command('tenant', 'create', 'NAME')}")]
    suspended = [each.name for each in found if each.suspended]
    return [fine(f"Tenants: {len(found)}." + (f" Suspended: {listed(map(repr, suspended))}." if suspended else ""))]


def credentials(patient: Patient) -> list[Verdict]:
    """Which have ended or soon will: provisioning stops with them, and nobody sees it but Entra's log."""
    now = clock.now()
    live = [each for each in _credentials(patient) if not each.revoked]
    expired = [each for each in live if each.expires and each.expires <= now]
    ending = [each for each in live if each.expires and now < each.expires <= now + WARN_BEFORE]
    verdicts = []
    if expired:
        verdicts.append(warning(f"Expired: {_listed(expired)}.", f"Where it is still used: {_rotate(expired)}\nElse revoke it."))
    if ending:
        verdicts.append(warning(f"Ending within {WARN_BEFORE.days} days: {_listed(ending)}.", _rotate(ending)))
    return verdicts or [fine(f"Credentials of use: {len(live)}. None ends within {WARN_BEFORE.days} days.")]


def domains(patient: Patient) -> list[Verdict]:
    """Which are not proved any more, or never were."""
    found = [each for tenant in patient.registry.tenants.list() for each in patient.registry.domains.list(tenant.id)]
    verdicts = []
    for state in ("lost", "failed"):
        unproved = [each for each in found if each.state == state]
        if unproved:
            names = listed([f"{each.name} (tenant {each.tenant_name!r})" for each in unproved])
            verdicts.append(
                warning(
                    f"The proof of domains is {'gone' if state == 'lost' else 'missing'}: {names}.",
                    f"The TXT record that is wanted: {command('domain', 'list')}",
                )
            )
    return verdicts or [fine(f"Domains: {len(found)}. None is lost or failed.")]


def certificates(patient: Patient) -> list[Verdict]:
    """By which we prove who we are at directories: without them nobody signs in there. And directories where nobody can yet."""
    found = [each for tenant in patient.registry.tenants.list() for each in patient.registry.directories.list(tenant.id)]
    ends = {each: expires(each.certificate) for each in found if each.certificate}
    ending = [each for each, end in ends.items() if end <= clock.now() + BEFORE_IT_ENDS]
    verdicts = []
    if ending:
        names = listed([f"{each.tid} (tenant {each.tenant_name!r}, {ends[each]:%Y-%m-%d})" for each in ending])
        options = ("--client-certificate-file", "FILE", "--client-key-file", "FILE")
        remedy = command("directory", "add", "--tenant", ending[0].tenant_name, "--tid", ending[0].tid, *options)
        verdicts.append(warning(f"Certificates that ended, or end within {BEFORE_IT_ENDS.days} days: {names}.", remedy))
    return verdicts or [fine(f"Certificates for sign-in: {len(ends)}. None ends within {BEFORE_IT_ENDS.days} days.")]


def issuers(patient: Patient) -> list[Verdict]:
    """Whose documents the server fetches: each directory's, and those of issuers that credentials trust."""
    found = [each for tenant in patient.registry.tenants.list() for each in patient.registry.directories.list(tenant.id)]
    urls = [url for each in found if (url := clouds.discovery_url(each))]
    now = clock.now()
    for each in _credentials(patient):
        if each.trust and not each.revoked and (each.expires is None or each.expires > now):
            urls.append(each.trust.jwks_uri or each.trust.issuer.rstrip("/") + "/.well-known/openid-configuration")
    patient.urls += dict.fromkeys(urls)
    return [fine(f"Directories: {len(found)}. Documents of issuers that are needed: {len(patient.urls)}.")]


def _credentials(patient: Patient) -> list[Credential]:
    return [each for tenant in patient.registry.tenants.list() for each in patient.registry.credentials.list(tenant.id)]


def _listed(credentials: list[Credential]) -> str:
    return listed([f"{each.id} (tenant {each.tenant_name!r}, {each.label or each.kind})" for each in credentials])


def _rotate(credentials: list[Credential]) -> str:
    return command("credential", "rotate", credentials[0].id if len(credentials) == 1 else "ID")
