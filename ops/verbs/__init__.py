"""The verbs of the command line: options, help and what each says."""
