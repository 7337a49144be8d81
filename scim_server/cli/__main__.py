"""``python -m scim_server.cli``: the same as the command ``scim-server``."""

from scim_server.cli import main

main(prog_name="scim-server")
