"""All checks: importing this module puts them into `registry.CHECKS`, in the order in which they are run and reported."""

import importlib

from conformance.checker.registry import CHECKS, Check, select

MODULES = (
    "discovery",
    "discovery_details",
    "features",
    "auth",
    "errors",
    "address",
    "users",
    "users_values",
    "users_details",
    "groups",
    "filters",
    "filters_attributes",
    "filters_refused",
    "filters_details",
    "search",
    "root",
    "sort",
    "sort_details",
    "paging",
    "cursor",
    "projection",
    "put",
    "patch",
    "patch_changes",
    "patch_groups",
    "patch_cells",
    "delete",
    "etags",
    "etags_details",
    "values",
    "characteristics",
    "bulk",
    "bulk_details",
    "me",
    "isolation",
    "entra",
    "entra_users",
    "entra_groups",
    "entra_dialects",
)

for _module in MODULES:
    importlib.import_module(f"conformance.checks.{_module}")

__all__ = ["CHECKS", "Check", "select"]
