"""The way in and out of the shop's MQTT broker: topics, the door that checks messages, the client, a broker to try with."""
