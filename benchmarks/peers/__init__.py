"""Other libraries beside ours: their environment, what runs in it, and what is made of its answers here."""
