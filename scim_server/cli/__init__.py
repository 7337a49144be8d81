"""Commands for operators.

    serve          serve, db upgrade
    tenants        tenant create, list, show, set, suspend, resume
    export         tenant export
    credentials    credential create, list, show, rotate, revoke
    audit          audit list
    directories    directory add, list, remove
    domains        domain add, list, check, remove
    mappings       mapping add, list, remove
    restrictions   restriction set, list, clear
    schemas        schema add, set, list, show, remove
    sessions       session list, end
    apps           app add, list, rotate, remove
    signing_keys   signing-key list, rotate
    keys           keys generate, list, rotate
    doctor         doctor
    demo           the tenant that ``make run`` makes
    pasting        what a client is given of a credential, and where it goes in Entra
    terms          what a credential may do and whom it trusts, as options give it
    opening        settings and database, opened for one command
    durations      lengths of time, as options give them
    facts          one thing in detail, for people
    output         JSON for scripts, text for people

Results go to standard output (``--json``: one JSON document), everything else to standard error.
Exit status: 0 done; 1 refused, with the reason and the remedy; 2 wrong usage.
Libraries that are slow to import are imported by the command that needs them.
"""

from __future__ import annotations

import click

from scim_server.cli import (
    apps,
    audit,
    credentials,
    directories,
    doctor,
    domains,
    export,
    keys,
    mappings,
    restrictions,
    schemas,
    serve,
    sessions,
    signing_keys,
    tenants,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="scim-server", message="%(version)s")
def main() -> None:
    """The gateway for customers that run Microsoft Entra ID: SCIM 2.0, and sign-in with Microsoft.

    Settings come from the environment; docs/settings.md lists them.
    """


main.add_command(serve.serve)
main.add_command(serve.db)
main.add_command(tenants.tenant)
tenants.tenant.add_command(export.export)
main.add_command(credentials.credential)
main.add_command(audit.audit)
main.add_command(domains.domain)
main.add_command(directories.directory)
main.add_command(mappings.mapping)
main.add_command(restrictions.restriction)
main.add_command(schemas.schema)
main.add_command(sessions.session)
main.add_command(apps.app)
main.add_command(signing_keys.signing_key)
main.add_command(keys.keys)
main.add_command(doctor.doctor)
