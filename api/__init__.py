"""The HTTP API of the knowledge desk: everything a manager does there, for programs. Holds no rule of its own."""
