"""The roof: settings, the warehouse file, the steps of the path and the command line."""
