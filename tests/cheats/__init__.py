"""Components that cheat, each in one way, and honest ones that look as if they did: texts, since nobody should import them."""
