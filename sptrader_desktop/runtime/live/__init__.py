"""Live trading, without its adapters: what drives the account, and the services around it."""
