"""AWS Organizations: its structure, its policies, and who may manage them."""
