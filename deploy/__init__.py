"""From a fresh clone to a running Kefu: installs, prepares, starts and stops. Nothing of the product imports it."""
