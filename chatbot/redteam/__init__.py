"""The red team: suites of attacks on the assistant, and the gate that it must pass to go live."""
