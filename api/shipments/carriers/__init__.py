"""Couriers: one small protocol, two clients, one TOML file."""

from api.shipments.carriers.outcome import CarrierClient, Failed, NotFound, Outcome, Rejected, RetryAfter, Tracked
from api.shipments.carriers.settings import CarrierSettingsError, close_all, load_carriers

__all__ = [
    "CarrierClient",
    "CarrierSettingsError",
    "Failed",
    "NotFound",
    "Outcome",
    "Rejected",
    "RetryAfter",
    "Tracked",
    "close_all",
    "load_carriers",
]
