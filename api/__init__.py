"""The warehouse: orders, inspections, the dispatch gate, shipments, contacts, reports.

Public face: `create_app` (api/app.py) and `Settings` (api/settings.py). One folder a domain, each with the same four
files: routes, service, tables, schemas. The station talks to this room over HTTP only.
"""
