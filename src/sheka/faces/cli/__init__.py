"""The command line of Sheka: `sheka --help`."""
