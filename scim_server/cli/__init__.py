"""Commands for operators.

    serve          serve, db upgrade
    tenants        tenant create, list
    credentials    credential create, list, revoke
    audit          audit list
    demo           the tenant that ``make run`` makes, and what to paste into Entra
    opening        settings and database, opened for one command
    durations      lengths of time, as options give them
    output         JSON for scripts, text for people

Results go to standard output (``--json``: one JSON document), everything else to standard error.
Exit status: 0 done; 1 refused, with the reason and the remedy; 2 wrong usage.
Libraries that are slow to import are imported by the command that needs them.
"""

from __future__ import annotations

import click

from scim_server.cli import audit, credentials, serve, tenants


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="scim-server", message="%(version)s")
def main() -> None:
    """A SCIM 2.0 server for customers that run Microsoft Entra ID.

    Settings come from the environment; docs/settings.md lists them.
    """


main.add_command(serve.serve)
main.add_command(serve.db)
main.add_command(tenants.tenant)
main.add_command(credentials.credential)
main.add_command(audit.audit)
