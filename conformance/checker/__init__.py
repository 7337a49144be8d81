"""Runs graded black-box checks of a SCIM 2.0 server (`conformance.checks`), and tells what they found.

Reading order: `registry` (what a check is), `probe` (what a check works with), `offer` (what the server says it can do), `published`
(attributes of a kind among its schemas), `catalogue` (all checks), `runner`, `report`, `cli`.
"""
