"""The contact list is tested on parcels that the simulated courier runs late."""

from tests.api.shipments.conftest import carriers_file, courier, poller, settings, warehouse

__all__ = ["carriers_file", "courier", "poller", "settings", "warehouse"]
