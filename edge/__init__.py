"""What runs in the shop: devices in over MQTT, privacy-protected aggregates out."""

__version__ = "0.1.0"
