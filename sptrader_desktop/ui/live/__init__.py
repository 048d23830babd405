"""The Live page: a live session of another process, watched and commanded."""
