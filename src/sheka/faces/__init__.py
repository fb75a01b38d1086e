"""How people and programs reach Sheka: console, API, command line."""
