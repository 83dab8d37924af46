"""How a customer feels: positive, neutral or negative, message by message and through a conversation."""
