"""One module per command of `inbox`; inbox.cli imports only the one that is called."""
