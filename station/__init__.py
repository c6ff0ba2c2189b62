"""The bench: cameras, trigger, kiosk and offline spool. It talks to the API over HTTP only."""
