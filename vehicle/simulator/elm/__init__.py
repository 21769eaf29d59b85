"""The adapter: an ELM327 or STN chip between the host's bytes and the car's bus."""
