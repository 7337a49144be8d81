"""All checks: importing this module puts them into `registry.CHECKS`, in the order in which they are run and reported."""

import importlib

from conformance.checks.registry import CHECKS, Check, select

MODULES = (
    "discovery",
    "features",
    "auth",
    "errors",
    "users",
    "users_values",
    "groups",
    "filters",
    "filters_attributes",
    "filters_refused",
    "search",
    "sort",
    "paging",
    "projection",
    "put",
    "patch",
    "patch_changes",
    "patch_groups",
    "delete",
    "etags",
    "bulk",
    "entra",
    "entra_users",
    "entra_groups",
    "entra_dialects",
)

for _module in MODULES:
    importlib.import_module(f"conformance.checks.{_module}")

__all__ = ["CHECKS", "Check", "select"]
