"""Hybrids: models that take from adversarial networks and from diffusion."""
