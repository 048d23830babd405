"""Small widgets that several panes share. They know the look and nothing of trading."""
