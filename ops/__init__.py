"""The roof: settings, the warehouse file, the command line, and the schedule that joins the rooms."""
