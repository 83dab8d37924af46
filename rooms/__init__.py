"""The pages that staff work in. Knows how things look; what may be done and how, the apps below know."""
