"""What is not here: DNS, issuers, the right time, and our own address as others see it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from scim_server.cli.doctor import asking
from scim_server.cli.doctor.databases import of_clock
from scim_server.cli.doctor.verdicts import Patient, Verdict, failed, fine, warning
from scim_server.clouds import CLOUDS
from scim_server.outbound import FetchFailed, Outbound
from scim_server.tenancy import domains
from scim_server.tenancy.domains import Resolver, Unanswered

MOST_HOSTS = 20
_ASKED_FOR = "microsoft.com"  # has TXT records
_TIME = f"{CLOUDS['global'].authority}/common/v2.0/.well-known/openid-configuration"


def dns(patient: Patient) -> list[Verdict]:
    """Whether DNS answers: the proof of domains is looked for there."""
    wanted = [each for tenant in patient.registry.tenants.list() for each in patient.registry.domains.list(tenant.id)]
    name = domains.record(wanted[0]).name if wanted else _ASKED_FOR
    whose = "the servers in DNS_SERVERS" if patient.settings.dns_servers else "the system's servers"
    remedy = "Let the server out to its DNS servers (port 53), or name others in DNS_SERVERS."
    try:
        texts = Resolver(patient.settings.dns_servers).texts(name)
    except Unanswered as fault:
        finding = f"DNS did not answer for {name}, asked through {whose}: {fault}."
        return [failed(finding, remedy) if wanted else warning(f"{finding} No domain needs it yet.", remedy)]
    if not (wanted or texts):
        return [warning(f"DNS answers, through {whose}, but does not know {name}: it may not know the internet.", remedy)]
    return [fine(f"DNS answers, through {whose}.")]


def outbound(patient: Patient) -> list[Verdict]:
    """Whether documents of issuers can be fetched, one from each host that is needed, as the server would do it."""
    hosts: dict[str, str] = {}
    for url in patient.urls:
        hosts.setdefault(urlsplit(url).netloc, url)
    if not hosts:
        return [fine("No directory and no credential needs an issuer's documents.")]
    asked = list(hosts.items())[:MOST_HOSTS]
    way_out = Outbound(patient.settings.allow_custom_cloud)
    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(lambda each: _fetched(way_out, *each), asked))


def clock(patient: Patient) -> list[Verdict]:
    """This machine's clock against a sign-in host's: tokens say from when to when they are good."""
    url = patient.urls[0] if patient.urls else _TIME
    host = urlsplit(url).netloc
    remedy = f"Let this machine out to {host} (https), or see that it keeps time by NTP."
    try:
        answer = asking.ask(url)
    except asking.NoAnswer as fault:
        return [warning(f"The time could not be compared with {host}: {fault}.", remedy)]
    if answer.date is None:
        return [warning(f"The time could not be compared with {host}: it does not say what time it is.", remedy)]
    return [of_clock(*answer.ahead, f"that of {host}")]


def reachable(patient: Patient) -> list[Verdict]:
    """Whether this server answers at PUBLIC_URL, as seen from here."""
    url = f"{patient.settings.public_url}/healthz"
    remedy = "Is the server running, and does the proxy pass on requests to it? From inside a network the address may not be reachable."
    try:
        answer = asking.ask(url)
    except asking.NoAnswer as fault:
        return [warning(f"{url} does not answer from here: {fault}.", remedy)]
    if answer.status != 200 or b'"alive"' not in answer.body:
        return [warning(f"Something else than this server answers at {url} (status {answer.status}).", remedy)]
    return [fine(f"{url} answers.")]


def _fetched(way_out: Outbound, host: str, url: str) -> Verdict:
    try:
        way_out.fetch(url)
    except FetchFailed as fault:
        return failed(
            f"{url} could not be fetched: {fault.reason}.",
            f"Let the server out to {host}; where it answers with a status, see that the directory's id, or the issuer, is right.",
            host,
        )
    return fine("Answers.", host)
