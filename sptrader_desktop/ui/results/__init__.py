"""What a run came to: figures, tables and pictures of it."""
