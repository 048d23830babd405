"""Every widget, and the loop they live on. Knows nothing of files, databases and processes: `app` hands it what does."""
