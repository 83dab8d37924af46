"""Customer-service messages with personal data in known places, written without sight of the recognisers."""

from bench.personal_data.examples import Example, generate, glued

__all__ = ["Example", "generate", "glued"]
